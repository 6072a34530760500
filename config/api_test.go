package config

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAPIOptions reads what cinder-api reads, with the comments that are part of names.
func TestAPIOptions(t *testing.T) {
	const text = `
[DEFAULT]
enabled_backends = a
default_availability_zone = dc1 # main
storage_availability_zone = dc2 ; other
allow_availability_zone_fallback = yes
cloned_volume_same_az = false
snapshot_same_host = 0
default_volume_type = gold
[a]
volume_driver = cinder.volume.drivers.pure.PureISCSIDriver
san_ip = 10.0.0.1
pure_api_token = t
`
	read := func(strip bool) *Config {
		path := t.TempDir() + "/cinder.conf"
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, err := Load(Sources{Inputs: Files(path), StripComments: strip})
		if err != nil {
			t.Fatal(err)
		}
		return cfg
	}
	cfg := read(false)
	want := API{DefaultZone: "dc1 # main", StorageZone: "dc2 ; other", ZoneFallback: true, DefaultType: "gold"}
	if diff := cmp.Diff(want, cfg.API); diff != "" {
		t.Errorf("as Cinder reads it (-want +got):\n%s", diff)
	}
	serious := 0
	for _, w := range cfg.Warnings {
		if w.Serious && strings.HasSuffix(w.Key, "_availability_zone") && w.Line > 0 {
			serious++
		}
	}
	if serious != 2 || cfg.Backends[0].Zone != "dc2 ; other" {
		t.Errorf("%d serious warnings, the backend is in %q: %v", serious, cfg.Backends[0].Zone, cfg.Warnings)
	}
	want.DefaultZone, want.StorageZone = "dc1", "dc2"
	if diff := cmp.Diff(want, read(true).API); diff != "" {
		t.Errorf("as it was meant (-want +got):\n%s", diff)
	}
}
