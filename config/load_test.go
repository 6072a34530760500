package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestPlace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cinder.conf")
	text := `[DEFAULT]
enabled_backends = fa1
filter_function = 1 == 1
[backend_defaults]
volume_driver = cinder.volume.drivers.pure.PureISCSIDriver
goodness_function = 50
[fa1]
san_ip = 10.0.0.1
pure_api_token = token
goodness_function = 60
goodness_function = 70
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := Load(Sources{Inputs: Files(path), Environ: []string{"OS_FA1__SAN_IP=10.0.0.2"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ section, option, want string }{
		{"fa1", "goodness_function", path + ":11"},
		{"fa1", "volume_driver", path + ":5"},
		{"fa1", "filter_function", path + ":3"},
		{"fa1", "san_ip", "OS_FA1__SAN_IP:0"},
		{"fa1", "extra_capabilities", path + ":7"},
		{"DEFAULT", "enabled_backends", path + ":2"},
		{"DEFAULT", "scheduler_default_filters", path + ":1"},
	} {
		file, line := cfg.Place(c.section, c.option)
		if got := fmt.Sprintf("%s:%d", file, line); got != c.want {
			t.Errorf("[%s] %s is at %s, want %s", c.section, c.option, got, c.want)
		}
	}
	if file, line := new(Config).Place("fa1", "san_ip"); file != "" || line != 0 {
		t.Errorf("an empty configuration has a place: %s:%d", file, line)
	}
}

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
		cfg, err := load(Sources{Inputs: Files("cinder.conf"), hostname: "h"}, read)
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
					_, _ = load(Sources{Inputs: Files("cinder.conf"), hostname: "h"}, read)
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

// TestReportInterval: cinder-volume reports no more often than it looks for tasks.
func TestReportInterval(t *testing.T) {
	for lines, want := range map[string]time.Duration{
		"":                                    time.Minute,
		"backend_stats_polling_interval = 15": time.Minute,
		"backend_stats_polling_interval = 90": 90 * time.Second,
		"backend_stats_polling_interval = 15\nperiodic_interval = 10":  15 * time.Second,
		"backend_stats_polling_interval = 15\nperiodic_interval = 300": 5 * time.Minute,
	} {
		cfg, err := loadTwo(t, map[string]string{"DEFAULT": lines})
		if err != nil {
			t.Fatal(err)
		}
		if got := cfg.ReportInterval(); got != want {
			t.Errorf("%q: every %s, want %s", lines, got, want)
		}
	}
}
