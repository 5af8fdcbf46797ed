package istio

import (
	"slices"
	"testing"

	_ "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/router/cluster_specifiers/matcher/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/wasm/v3"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/posterngw/postern/tools/meshcheck"
)

// TestFieldsOfPatches: what `postern validate` takes for a field of a message is one in the protocol
// that this Istio speaks, and what is one it does not refuse.
func TestFieldsOfPatches(t *testing.T) {
	known := meshcheck.Fields()
	require.NotEmpty(t, known)
	for name, fields := range known {
		if name == "google.protobuf.Any" {
			continue // its fields are those of what it holds
		}
		d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(name))
		require.NoError(t, err)
		var want []string
		list := d.(protoreflect.MessageDescriptor).Fields()
		for i := range list.Len() {
			want = append(want, string(list.Get(i).Name()))
		}
		require.ElementsMatch(t, want, slices.DeleteFunc(fields, func(f string) bool { return f == "@type" }), name)
	}
}
