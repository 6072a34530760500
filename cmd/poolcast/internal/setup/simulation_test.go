package setup_test

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/setup"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/config"
)

// simulated polls the simulated arrays of a configuration once.
func simulated(t *testing.T, conf string) map[string]capability.Report {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cinder.conf")
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	runtime, err := setup.Open(setup.Source{Inputs: config.Files(path), Simulate: true}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer runtime.Close()
	reports, err := runtime.Poll(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]capability.Report{}
	for _, r := range reports {
		out[r.Backend] = r
	}
	return out
}

// poolOf is a configuration of arrays of one pool; a stanza is "name address label".
func poolOf(stanzas ...string) string {
	var names []string
	text := ""
	for _, s := range stanzas {
		f := append(strings.Fields(s), "")
		names = append(names, f[0])
		text += fmt.Sprintf("[%s]\nsan_ip = %s\n", f[0], f[1])
		if f[2] != "" {
			text += fmt.Sprintf("extra_capabilities = {\"array_model\": %q}\n", f[2])
		}
	}
	return "[DEFAULT]\nhost = ctl1\nenabled_backends = " + strings.Join(names, ",") +
		"\n[backend_defaults]\nvolume_driver = cinder.volume.drivers.pure.PureISCSIDriver\nvolume_backend_name = gold\npure_api_token = x\n" + text
}

func total(t *testing.T, r capability.Report) float64 {
	t.Helper()
	f, ok := r.Capabilities.Number(capability.KeyTotalCapacity)
	if !ok || !r.Simulated {
		t.Errorf("%s has no capacity, or is not marked as simulated", r.Backend)
	}
	return f
}

func TestSimulationHasOneModelInAPool(t *testing.T) {
	const x, c, one = 189849.6, 759808.0, 409600.0
	for name, p := range map[string]struct {
		stanzas []string
		total   float64
	}{
		"no label":            {[]string{"a 10.1.0.10", "b 10.1.0.11"}, x},
		"label":               {[]string{"a 10.1.0.10 FlashArray//C", "b 10.1.0.11 FlashArray//C60"}, c},
		"controller":          {[]string{"a 10.1.0.10 FA-X70R4", "b 10.1.0.11 FlashArray//XL170"}, x},
		"subscription":        {[]string{"a 10.1.0.10 Evergreen//One", "b 10.1.0.11"}, one},
		"label of another":    {[]string{"a 10.1.0.10", "b 10.1.0.11 FlashArray//C"}, c},
		"recorded address":    {[]string{"a 10.1.0.10", "b 10.21.0.21"}, c},
		"label of no product": {[]string{"a 10.1.0.10 fast", "b 10.1.0.11 fast"}, x},
	} {
		t.Run(name, func(t *testing.T) {
			for _, r := range simulated(t, poolOf(p.stanzas...)) {
				if got := total(t, r); got < p.total-1 || got > p.total+1 {
					t.Errorf("%s has %v GiB, want %v", r.Backend, got, p.total)
				}
			}
		})
	}
}

// TestSimulationVariesByName: no two of 32 arrays are alike, their numbers are within
// a range that a pool has, and a new array changes none of the others.
func TestSimulationVariesByName(t *testing.T) {
	var stanzas []string
	for n := range 32 {
		stanzas = append(stanzas, fmt.Sprintf("fa_%02d 10.9.0.%d", n, n+1))
	}
	all := simulated(t, poolOf(stanzas...))
	seen := map[string]string{}
	for name, r := range all {
		number := func(key string) float64 {
			f, ok := r.Capabilities.Number(key)
			if !ok {
				t.Errorf("%s has no %s", name, key)
			}
			return f
		}
		alike := fmt.Sprint(number(capability.KeyFreeCapacity), number(capability.KeyReadsPerSec))
		if other := seen[alike]; other != "" {
			t.Errorf("%s and %s are alike", name, other)
		}
		seen[alike] = name
		used := 1 - number(capability.KeyFreeCapacity)/number(capability.KeyTotalCapacity)
		reduction, load := number(capability.KeyDataReduction), number(capability.KeyLoadPercent)
		if used < 0.15 || used > 0.8 || reduction < 3.9 || reduction > 4.7 || load < 3 || load > 70 {
			t.Errorf("%s: used %v, reduction %v, load %v %%", name, used, reduction, load)
		}
	}
	few := simulated(t, poolOf(stanzas[7], stanzas[3]))
	for name, r := range few { // frames change by 3 % at most
		a, _ := r.Capabilities.Number(capability.KeyProvisionedCapacity)
		if b, _ := all[name].Capabilities.Number(capability.KeyProvisionedCapacity); math.Abs(a-b) > 0.03*b {
			t.Errorf("%s has provisioned %v GiB in a pool of two and %v in one of 32", name, a, b)
		}
	}
}

// TestSimulationGrows: a stanza that a reload adds gets an array too.
func TestSimulationGrows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cinder.conf")
	write := func(conf string) {
		if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(poolOf("a 10.1.0.10"))
	runtime, err := setup.Open(setup.Source{Inputs: config.Files(path), Simulate: true}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer runtime.Close()
	write(poolOf("b 10.1.0.11", "a 10.1.0.10"))
	cfg, err := runtime.Source.Load()
	if err != nil {
		t.Fatal(err)
	}
	if runtime.Setup, err = runtime.Clients.Setup(cfg, runtime.Setup); err != nil {
		t.Fatal(err)
	}
	if reports, err := runtime.Poll(t.Context()); err != nil || len(reports) != 2 {
		t.Errorf("%d reports (%v)", len(reports), err)
	}
}

func TestSimulationOfOneAddress(t *testing.T) {
	got := simulated(t, poolOf("a 10.1.0.10", "b 10.1.0.10", "c 10.21.0.11"))
	id := func(name string) string { return got[name].Capabilities[capability.KeyArrayID].String() }
	if id("a") != id("b") || id("a") == id("c") {
		t.Errorf("the arrays are %s, %s and %s", id("a"), id("b"), id("c"))
	}
	if volumes, _ := got["c"].Capabilities.Number(capability.KeyTotalVolumes); volumes < 880 || volumes > 960 {
		t.Errorf("the recorded array has %v volumes", volumes)
	}
}
