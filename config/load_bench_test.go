package config

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkLoad loads a configuration with a thousand arrays.
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

// BenchmarkLoadManyKeys loads sections with many keys; the time is linear.
func BenchmarkLoadManyKeys(b *testing.B) {
	for _, n := range []int{20_000, 80_000} {
		for _, section := range []string{"other", "fa1", sectionRabbit, sectionPoolcast} {
			b.Run(fmt.Sprintf("%s-%d", section, n), func(b *testing.B) {
				text := manyKeys(section, n)
				read := func(string) ([]byte, error) { return []byte(text), nil }
				for b.Loop() {
					_, _ = load(Sources{Inputs: Files("cinder.conf"), Hostname: "h"}, read)
				}
			})
		}
	}
}

// manyKeys is a configuration with n unknown keys in a section.
func manyKeys(section string, n int) string {
	var text strings.Builder
	fmt.Fprintf(&text, "[DEFAULT]\nenabled_backends = fa1\n[fa1]\nvolume_driver = cinder.volume.drivers.pure.PureISCSIDriver\n"+
		"san_ip = 10.0.0.1\npure_api_token = t\n[%s]\n", section)
	for i := range n {
		fmt.Fprintf(&text, "san_key_%d = 1\n", i)
	}
	return text.String()
}
