package command

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/posterngw/postern/tools/render"
)

// meshed is what the flags of render istio say.
type meshed struct {
	render.IstioOptions
	image, out           string
	existing, kubernetes bool
	values               bool
}

func renderIstioCommand(s Streams) *cobra.Command {
	m := meshed{IstioOptions: render.IstioDefaults()}
	c := &cobra.Command{
		Use:   "istio FILE",
		Short: "Write the resources of a gateway in an Istio mesh",
		Long: `Writes the resources with which a gateway of an Istio mesh (1.31 or later,
in paired mode 1.27) serves the postern.yaml FILE. They are those of the Helm chart in istio/chart; --values
writes the chart's values instead.`,
		Example: `  postern render istio --image oci://registry.example.com/team/postern:1.2.3 postern.yaml | kubectl apply -f -
  postern render istio --image oci://registry.example.com/team/postern:1.2.3 --values postern.yaml > values.json`,
		Args: cobra.MatchAll(atLeast(1, "render istio wants a FILE"), atMost(1, "render istio wants one FILE")),
		RunE: runs(func(_ context.Context, args []string) error { return m.run(s, args[0]) }),
	}
	f, g := c.Flags(), &m.Gateway
	f.StringVar(&m.Mode, "mode", m.Mode, "native (one EnvoyFilter), paired (two WasmPlugins) or observe (one WasmPlugin beside what serves)")
	f.StringVar(&m.image, "image", "", "the module's image: oci://registry/name with a tag or, better, a digest")
	f.StringVar(&m.Image.PullSecret, "pull-secret", "", "name of the Secret to pull it with")
	f.StringVarP(&m.Namespace, "namespace", "n", m.Namespace, "namespace of the gateway's pods")
	f.StringToStringVar(&g.Selector, "selector", g.Selector, "labels of the gateway's pods")
	f.StringVar(&g.Name, "gateway", g.Name, "name of the Gateway")
	f.BoolVar(&m.existing, "existing", false, "the Gateway is there already")
	f.BoolVar(&m.kubernetes, "gateway-api", false, "the Gateway is one of the Kubernetes Gateway API")
	f.IntVar(&g.Port, "port", g.Port, "port of the Gateway")
	f.StringSliceVar(&g.Hosts, "hosts", g.Hosts, "names that applications ask the gateway by")
	f.StringVar(&g.Certificate, "certificate", "", "name of the Secret with the gateway's certificate; plain HTTP without it")
	f.StringVar(&g.Egress, "egress", "", "host:port of the Service of an egress gateway, by which applications in the mesh reach it")
	f.StringVar(&m.AuditLog, "audit-log", m.AuditLog, "path of the audit records")
	f.StringVar(&m.Secrets, "secrets", m.Secrets, "folder of the keys that the proxy injects")
	f.BoolVar(&m.values, "values", false, "write the chart's values")
	f.StringVarP(&m.out, "output", "o", "", "file to write (default standard output)")
	return c
}

func (m *meshed) run(s Streams, name string) error {
	checked, err := readChecked(s, name)
	if err != nil {
		return err
	}
	m.WithImage(m.image)
	if m.Gateway.Create = !m.existing; m.kubernetes {
		m.Gateway.API = "kubernetes"
	}
	v, err := render.NewIstioValues(checked.Node, m.IstioOptions)
	if err != nil {
		return err
	}
	var text []byte
	if m.values {
		text, err = v.JSON()
	} else {
		text, err = v.Render(m.Namespace)
	}
	if err != nil {
		return err
	}
	return put(s, m.out, text)
}
