package config

import (
	"testing"
)

// load reads a file that must load, in a world without environment.
func load(t *testing.T, paths ...string) *Config {
	t.Helper()
	cfg, err := Load(Sources{Inputs: Files(paths...), Hostname: "thishost"})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestThreeArraysUnderOneName(t *testing.T) {
	cfg := load(t, "../examples/cinder.conf")
	if len(cfg.Warnings) > 0 {
		t.Errorf("the example warns: %v", cfg.Warnings)
	}
	want := []string{
		"ctl1@flasharray_x_01 pure_performance dc1 10.21.0.11 iSCSI",
		"ctl1@flasharray_x_02 pure_performance dc1 10.21.0.12 iSCSI",
		"ctl1@flasharray_x_03 pure_performance dc1 10.21.0.13 iSCSI",
	}
	if len(cfg.Backends) != len(want) {
		t.Fatalf("got %d backends", len(cfg.Backends))
	}
	for i, b := range cfg.Backends {
		if got := b.Host + " " + b.Pool + " " + b.Zone + " " + b.Address.String() + " " + b.Protocol; got != want[i] {
			t.Errorf("got %s, want %s", got, want[i])
		}
		if media, _ := b.Extra["media"].Str(); media != "nvme-ssd" {
			t.Errorf("%s: media is %q", b.Stanza, media)
		}
	}
}
