package base

// Kept is how the ids begin of what OpenAI keeps (API reference: the id of each
// object that has a path of its own, and of the items of a response).
var Kept = []string{
	"resp_", "conv_", "msg_", "rs_", "fc_", "fco_", "ctc_", "ws_", "fs_", "ci_", "ig_", "mcp_", "mcpl_", "cmp_", // responses
	"file-", "file_", "upload_", "part_", "vs_", "vsfb_", "batch_", "cntr_", "cfile_", "video_", "skill_",
	"thread_", "run_", "step_", "asst_", "ftjob-", "ftckpt_", "eval_", "evalrun_",
}
