package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/backends"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/decision"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/setup"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/config"
	"github.com/poolcast/poolcast/publisher"
	"github.com/poolcast/poolcast/publisher/status"
)

// TestBurstOfFailuresIsBounded: a thousand failures are ten lines and a count, and all are
// counted.
func TestBurstOfFailuresIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		l := newFailureLog(zerolog.New(&log))
		for i := range 1000 {
			l.add(status.Failure{
				ReceivedAt: time.Now(), Operation: publisher.CreateVolume, VolumeID: fmt.Sprintf("%08d-99fd", i), VolumeType: "gold", Size: 100,
				Zones: []string{"dc1"}, Explanation: "refused: x_01 total_volumes 912 is not <= 800",
			}, status.FailureCount{Pool: "gold", Filter: "CapabilitiesFilter"})
			time.Sleep(10 * time.Millisecond)
		}
		l.add(status.Failure{ReceivedAt: time.Now(), Operation: "retype", VolumeID: "v"}, status.FailureCount{})
		time.Sleep(failureWindow)
		l.tick(time.Now())
		l.tick(time.Now().Add(failureWindow))
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		if len(lines) != failureLines+1 {
			t.Fatalf("%d lines:\n%s", len(lines), log.String())
		}
		if want := "create failed: volume 00000000…, type gold, 100 GiB, dc1: refused: x_01 total_volumes 912 is not <= 800"; !strings.Contains(lines[0], want) {
			t.Errorf("the first line is %s", lines[0])
		}
		if !strings.Contains(lines[failureLines], `"count":991,`) {
			t.Errorf("the last line is %s", lines[failureLines])
		}
		v := l.view([]failureKey{{"gold", "CapabilitiesFilter"}, {"", "none"}})
		if len(v.Latest) != status.MaxFailures || v.Latest[0].Operation != "retype" || v.Latest[1].VolumeID != "00000999-99fd" {
			t.Errorf("the latest are %+v", v.Latest[:2])
		}
		if want := "[{ none 0} {gold CapabilitiesFilter 1000}]"; fmt.Sprint(v.Counts) != want {
			t.Errorf("counted %v, want %s", v.Counts, want)
		}
		l.add(status.Failure{ReceivedAt: time.Now(), Operation: "retype", VolumeID: "v"}, status.FailureCount{})
		if !strings.HasSuffix(strings.TrimSpace(log.String()), `"message":"retype failed: volume v: "}`) {
			t.Errorf("in the next minute there is no line: %s", log.String())
		}
	})
}

// explainingConfig is a configuration with explain_failures and further lines.
func explainingConfig(t *testing.T, lines string) setup.Setup {
	t.Helper()
	file := filepath.Join(t.TempDir(), "cinder.conf")
	text := "[DEFAULT]\nenabled_backends = a\ntransport_url = rabbit://127.0.0.1:1/\n[a]\nvolume_driver = cinder.volume.drivers.pure.PureISCSIDriver\nsan_ip = 10.0.0.1\npure_api_token = t\n" + lines
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(config.Sources{Inputs: config.Files(file)})
	if err != nil {
		t.Fatal(err)
	}
	return setup.Setup{Config: cfg}
}

// TestReloadReplacesTheNotificationListener: only where its settings have changed.
func TestReloadReplacesTheNotificationListener(t *testing.T) {
	const on = "[poolcast]\nexplain_failures = true\n"
	runtime := &setup.Runtime{Log: zerolog.Nop()}
	runtime.Setup = explainingConfig(t, "")
	r, err := newNotificationRunner(runtime, func(publisher.Failure) {})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { r.run(ctx) })
	defer running.Wait()
	defer cancel()
	for _, c := range []struct {
		name, lines string
		listens     bool
		same        bool
	}{
		{"still off", "", false, true},
		{"switched on", on, true, false},
		{"another interval", on + "poll_interval = 7s\n[DEFAULT]\nbackend_stats_polling_interval = 90\n", true, true},
		{"another topic", on + "[oslo_messaging_notifications]\ntopics = audit\n", true, false},
		{"quorum queues", on + "[oslo_messaging_rabbit]\nrabbit_quorum_queue = true\n", true, false},
		{"switched off", "", false, false},
	} {
		before := r.now
		l, err := r.prepare(runtime, explainingConfig(t, c.lines))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		r.use(l)
		if _, listens := r.status(); listens != c.listens || (r.now == before) != c.same {
			t.Errorf("%s: listens %t, the same %t", c.name, listens, r.now == before)
		}
	}
	if _, err := r.prepare(runtime, explainingConfig(t, on+"[oslo_messaging_notifications]\ntopics =\n")); err == nil || !strings.Contains(err.Error(), "topics in [oslo_messaging_notifications] is empty") {
		t.Errorf("without a topic: %v", err)
	}
}

// TestREADMEShowsTheLineOfAFailedCreate: the README has the line, with other breaks.
func TestREADMEShowsTheLineOfAFailedCreate(t *testing.T) {
	report := func(name string, volumes int64) capability.Report {
		return capability.Report{
			Host: "ctl1@" + name, Backend: name, Pool: "pure_performance", Zone: "dc1", Status: capability.OK,
			Capabilities: capability.Set{
				capability.KeyVolumeBackendName: capability.OfString("pure_performance"), capability.KeyTotalVolumes: capability.OfInt(volumes),
				capability.KeyTotalCapacity: capability.OfFloat(1000), capability.KeyFreeCapacity: capability.OfFloat(500),
			},
		}
	}
	set := &backends.Set{
		Reports:  []capability.Report{report("flasharray_x_01", 912), report("flasharray_x_02", 583), report("flasharray_x_03", 202)},
		Unlisted: []string{"ctl1@flasharray_x_03"},
	}
	var log strings.Builder
	newFailureLog(zerolog.New(&log)).add(decision.ExplainFailure(decision.NewCloud(explainingConfig(t, "").Config, set), publisher.Failure{
		Operation: publisher.CreateVolume, Exception: "NoValidBackend", VolumeID: "c7cb1d7e-4f6f-4a2b-9a0c-3a4b6f1f2d11", Size: 100, Type: "gold", Zones: []string{"dc1"},
		ExtraSpecs: json.RawMessage(`{"capabilities:total_volumes": "<= 500", "volume_backend_name": "pure_performance"}`),
	}, []string{"pure_performance"}, time.Now()))
	var line struct{ Message string }
	if err := json.Unmarshal([]byte(log.String()), &line); err != nil || !strings.HasPrefix(line.Message, "create failed: ") {
		t.Fatalf("%v: %s", err, log.String())
	}
	readme, err := os.ReadFile("../../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(strings.Join(strings.Fields(string(readme)), " "), line.Message) {
		t.Errorf("the README lacks %q", line.Message)
	}
}
