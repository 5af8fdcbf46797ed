package base

// Kept is how the ids begin of what OpenAI keeps: of each object that has a path of
// its own, and of the items of a response (source: the examples in OpenAI's
// OpenAPI document of August 2026; mcpr_ and video_ as its guides show them; ig_, cu_,
// cmp_, fco_ and ctco_ as the code of many that read answers has them). A prefix too
// many costs nothing: an id is only looked at where ids stand.
var Kept = []string{
	"resp_", "conv_", "msg_", "rs_", "fc_", "fco_", "ctc_", "ctco_", "ws_", "fs_", "ci_", "ig_", "cu_", "mcp_", "mcpl_", "mcpr_", "cmp_", // responses
	"file-", "file_", "upload_", "part_", "vs_", "vsfb_", "batch_", "cntr_", "cfile_", "video_", "skill_", "voice_", "cons_",
	"thread_", "run_", "step_", "asst_", "cthr_", "cthi_",
	"ftjob-", "ftckpt_", "cp_", "eval_", "evalrun_", "outputitem_",
}
