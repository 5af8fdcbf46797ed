// This file is empty: its presence allows the declarations without a body in sdk.go.
