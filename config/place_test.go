package config

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
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
