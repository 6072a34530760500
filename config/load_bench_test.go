package config

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkLoad reads a cloud of a thousand arrays, as a reload does.
func BenchmarkLoad(b *testing.B) {
	var text strings.Builder
	names := make([]string, 1000)
	for i := range names {
		names[i] = fmt.Sprintf("array_%04d", i)
	}
	fmt.Fprintf(&text, "[DEFAULT]\nhost = h\nenabled_backends = %s\n", strings.Join(names, ","))
	for i, name := range names {
		fmt.Fprintf(&text, "[%s]\nvolume_driver = cinder.volume.drivers.pure.PureISCSIDriver\nvolume_backend_name = pool\n"+
			"san_ip = 10.0.%d.%d\npure_api_token = t\nextra_capabilities = {\"tier\": \"performance\"}\n", name, i/250, 1+i%250)
	}
	read := func(string) ([]byte, error) { return []byte(text.String()), nil }
	for b.Loop() {
		cfg, err := load(Sources{Inputs: Files("cinder.conf"), Hostname: "h"}, read)
		if err != nil || len(cfg.Backends) != len(names) || len(cfg.Warnings) > 0 {
			b.Fatal(err, cfg.Warnings)
		}
	}
}
