package config

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// mustLoad reads files that must load, without comments after names and without an
// environment.
func mustLoad(t *testing.T, paths ...string) *Config {
	t.Helper()
	cfg, err := Load(Sources{Inputs: Files(paths...), hostname: "thishost", StripComments: true})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// TestExamples checks the backends of each example.
func TestExamples(t *testing.T) {
	x := func(host, zone string, numbers ...int) (want []string) {
		for _, n := range numbers {
			want = append(want, fmt.Sprintf("%s@flasharray_x_%02d pure_performance %s 10.21.0.%d iSCSI", host, n, zone, 10+n))
		}
		return want
	}
	for name, want := range map[string][]string{
		"cinder.conf":               x("ctl1", "dc1", 1, 2, 3),
		"availability-zones.conf":   append(x("ctl1", "dc1", 1, 2), x("ctl1", "dc2", 3, 4)...),
		"growth-1-two-arrays.conf":  x("ctl1", "dc1", 1, 2),
		"growth-2-four-arrays.conf": x("ctl1", "dc1", 1, 2, 3, 4),
		"growth-3-six-arrays.conf":  append(x("ctl1", "dc1", 1, 2, 3, 4), x("ctl1", "dc2", 5, 6)...),
		"published-same-name.conf":  x("thishost", "nova", 1, 2, 3),
		"mixed.conf": {
			"ctl1@flasharray_x_01 pure_performance dc1 10.21.0.11 iSCSI",
			"ctl1@flasharray_x_01_nvme pure_performance_nvme dc1 10.21.0.12 NVMe-RoCE",
			"ctl1@flasharray_c_01 pure_capacity dc1 10.21.0.21 iSCSI",
			"ctl1@flasharray_eg1_01 pure_subscription dc1 10.21.0.31 iSCSI",
			"ctl1@flasharray_r_01 pure_replicated dc1 10.21.0.41 iSCSI",
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := mustLoad(t, "../examples/"+name)
			var got []string
			for _, b := range cfg.Backends {
				got = append(got, strings.Join([]string{b.Host, b.VolumeBackendName, b.Zone, b.Address.String(), b.Protocol}, " "))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if warns := len(cfg.Warnings) > 0; warns != (name == "published-same-name.conf") {
				t.Errorf("warnings: %v", cfg.Warnings)
			}
		})
	}
	if files := corpus(t, "../examples/*.conf"); len(files) != 7 {
		t.Errorf("an example is not tested here: %v", files)
	}
}

func TestMixedExample(t *testing.T) {
	cfg := mustLoad(t, "../examples/mixed.conf")
	r := cfg.Backends[4].Replication
	if d := r.Devices; len(d) != 2 || d[0].BackendID+" "+d[0].Type != "flasharray_r_02 sync" || d[1].BackendID+" "+d[1].Type != "flasharray_c_01 async" || !r.TriSync {
		t.Errorf("replication: %+v", r)
	}
	if got := cfg.Backends[0].Cluster; got != "cinder-cluster@flasharray_x_01" {
		t.Error(got)
	}
	if len(cfg.Ignored) != 1 || cfg.Ignored[0].Stanza != "lvm" {
		t.Errorf("ignored: %v", cfg.Ignored)
	}
	if c := cfg.Backends[2]; c.AutomaticRatio || c.MaxOverSubscription.Ratio != 8 || c.ReservedPercentage != 10 {
		t.Errorf("capacity tier: %+v", c)
	}
	if got := cfg.Backends[0].LiveCapabilities; len(got) != 2 {
		t.Error(got)
	}
	if len(cfg.Bus.Brokers) != 2 || cfg.Bus.Brokers[1].Password.Reveal() != "not/real" || cfg.Bus.Brokers[1].Host != "::1" || cfg.Bus.VirtualHost != "cinder" {
		t.Errorf("bus: %+v", cfg.Bus)
	}
}

// TestPublishedExampleWarnings checks the warning of each repair at each place.
func TestPublishedExampleWarnings(t *testing.T) {
	cfg := mustLoad(t, "../examples/published-same-name.conf")
	if len(cfg.Warnings) != 7 {
		t.Errorf("%d warnings", len(cfg.Warnings))
	}
	var all strings.Builder
	for _, w := range cfg.Warnings {
		fmt.Fprintln(&all, strings.ReplaceAll(w.String(), filepath.Dir(w.File)+"/", ""))
	}
	golden(t, "testdata/published-same-name.txt", all.String())
	if v, ok := cfg.Backends[2].Extra["max_volume_size_gb"].Int(); !ok || v != 8000 {
		t.Errorf("max_volume_size_gb = %d", v)
	}
}

// TestGrowthKeepsBackends checks that a step of the growth examples changes no backend of
// the step before it: neither its section nor what Cinder makes of that.
func TestGrowthKeepsBackends(t *testing.T) {
	steps := []string{"growth-1-two-arrays.conf", "growth-2-four-arrays.conf", "growth-3-six-arrays.conf"}
	var before []Backend
	for i, name := range steps {
		now := mustLoad(t, "../examples/"+name)
		if want := 2 * (i + 1); len(now.Backends) != want {
			t.Fatalf("%s has %d backends, want %d", name, len(now.Backends), want)
		}
		if now.API.DefaultZone != "dc1" {
			t.Errorf("%s: a request without a zone goes to %q", name, now.API.DefaultZone)
		}
		for j, b := range before {
			got := now.Backends[j]
			if b.Host != got.Host || b.Stanza != got.Stanza || b.VolumeBackendName != got.VolumeBackendName ||
				b.Zone != got.Zone || b.Address != got.Address {
				t.Errorf("%s: %s is now %+v", name, b.Host, got)
			}
		}
		before = now.Backends
	}
}
