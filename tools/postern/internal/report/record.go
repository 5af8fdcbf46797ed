package report

import (
	"encoding/json"
	"strings"
	"time"
)

// Record is what the lines show of an audit record (package audit has the
// whole form).
type Record struct {
	Time      time.Time  `json:"time"`
	End       string     `json:"end"`
	Status    int        `json:"status"`
	Error     failure    `json:"error"`
	Principal principal  `json:"principal"`
	Operation string     `json:"operation"`
	Model     string     `json:"model"`
	Asked     string     `json:"asked"`
	Target    string     `json:"target"`
	Attempts  []struct{} `json:"attempts"`
	Usage     usage      `json:"usage"`
	Cost      struct {
		Micros   int64  `json:"micros"`
		Currency string `json:"currency"`
	} `json:"cost"`
	FirstTokenMS int64 `json:"first_token_ms"`
	TotalMS      int64 `json:"total_ms"`
}

type failure struct {
	Class  string `json:"class"`
	Code   string `json:"code"`
	Policy string `json:"policy"`
}

type principal struct {
	Organisation string `json:"organisation"`
	Team         string `json:"team"`
	Application  string `json:"application"`
	User         string `json:"user"`
	Key          string `json:"key"`
}

type usage struct {
	Input          int64 `json:"input"`
	CacheRead      int64 `json:"cache_read"`
	CacheWrite     int64 `json:"cache_write"`
	CacheWriteHour int64 `json:"cache_write_hour"`
	InputAudio     int64 `json:"input_audio"`
	Output         int64 `json:"output"`
	Reasoning      int64 `json:"reasoning"`
	OutputAudio    int64 `json:"output_audio"`
	Estimated      bool  `json:"estimated"`
}

// Parse reads an audit record; false when the text is none.
func Parse(text string) (*Record, bool) {
	r := &Record{}
	if !strings.HasPrefix(text, "{") || json.Unmarshal([]byte(text), r) != nil {
		return nil, false
	}
	return r, true
}

// name is the most telling attribute of a principal.
func (p *principal) name() string {
	for _, s := range []string{p.Key, p.User, p.Application, p.Team, p.Organisation} {
		if s != "" {
			return s
		}
	}
	return ""
}

func (u *usage) in() int64 {
	return u.Input + u.CacheRead + u.CacheWrite + u.CacheWriteHour + u.InputAudio
}
func (u *usage) out() int64 { return u.Output + u.Reasoning + u.OutputAudio }
