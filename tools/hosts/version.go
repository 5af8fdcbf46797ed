package hosts

import (
	"fmt"
	"strconv"
	"strings"
)

// Version is a host's version, as far as it matters here.
type Version struct{ Major, Minor int }

func (v Version) String() string { return strconv.Itoa(v.Major) + "." + strconv.Itoa(v.Minor) }

func (v Version) before(w Version) bool {
	return v.Major < w.Major || v.Major == w.Major && v.Minor < w.Minor
}

// ParseVersion reads "1.40", "v1.40.1" and "1.31.0-rc.0".
func ParseVersion(text string) (v Version, err error) {
	parts := strings.SplitN(strings.TrimPrefix(text, "v"), ".", 3)
	if len(parts) > 1 {
		var wrong error
		v.Major, err = strconv.Atoi(parts[0])
		if v.Minor, wrong = strconv.Atoi(parts[1]); err == nil && wrong == nil && v.Major >= 0 && v.Minor >= 0 {
			return v, nil
		}
	}
	return Version{}, fmt.Errorf("%q is not a version such as 1.40", text)
}

// Need is what a place asks of its host's version.
type Need struct {
	Since Version
	Why   string
	// Run is what the tests run, or what was run once by hand where they run no such server.
	Run    Version
	ByHand bool
}

// Needs are those of the places. What was not run was read, in the release notes and
// sources of the hosts.
var Needs = map[Place]Need{
	EnvoyNative:   {Version{1, 39}, "`refresh_cluster_on_retry`, by which each attempt has a cluster of its own, is in Envoy 1.39 and later", Version{1, 40}, false},
	EnvoyPaired:   {Version{1, 36}, "`request_body_buffer_limit` of a route is in Envoy 1.36 and later", Version{1, 40}, false},
	IstioNative:   {Version{1, 31}, "`refresh_cluster_on_retry`, by which each attempt has a cluster of its own, is in Istio 1.31 and later: an earlier one drops the field, and each retry would go to the first target's cluster", Version{1, 31}, false},
	EnvoyObserve:  {Version{1, 34}, "`failure_policy` of a plugin is in the API of Envoy 1.34", Version{1, 40}, false},
	IstioObserve:  {Version{1, 19}, "`failStrategy: FAIL_OPEN` of a WasmPlugin is in the API of Istio 1.19", Version{1, 31}, false},
	IstioPaired:   {Version{1, 27}, "`failStrategy: FAIL_RELOAD` of a WasmPlugin is in Istio 1.27 and later", Version{1, 31}, false},
	APISIXObserve: {Version{3, 9}, "`wasm-nginx-module` 0.7.0, which is what the profile was recorded from, is in APISIX 3.9 and later", Version{3, 18}, true},
	APISIXCallout: {Version{3, 9}, "`wasm-nginx-module` 0.7.0, which is what the profile was recorded from, is in APISIX 3.9 and later", Version{3, 18}, true},
}

// version holds the host's version against what the place needs.
func (f *finder) version(text string) error {
	if text == "" {
		return nil
	}
	v, err := ParseVersion(text)
	if err != nil {
		return err
	}
	need, title := Needs[f.place], f.place.Host.Title()
	switch {
	case v.before(need.Since):
		f.fail("", wrongVersion, fmt.Sprintf("%s %s is too old for mode %s: %s", title, v, f.place.Mode, need.Why), fmt.Sprintf("%s %s or later", title, need.Since))
	case need.ByHand:
		f.warn("", notRun, fmt.Sprintf("%s %s was run once by hand; the tests run an emulation that is held against recordings of its module host", title, need.Run), "")
	case v != need.Run:
		f.warn("", notRun, fmt.Sprintf("the tests run %s %s, not %s", title, need.Run, v), "")
	}
	return nil
}
