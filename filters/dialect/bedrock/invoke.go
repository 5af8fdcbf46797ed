package bedrock

// invokeFlavour is the flavour of targets that are asked by InvokeModel.
const invokeFlavour = "invoke"
