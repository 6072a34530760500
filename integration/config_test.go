//go:build integration

package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/poolcast/poolcast/config"
)

// reading is one configuration that is read twice: by this program, and by Cinder's own
// options with the real oslo.config.
type reading struct {
	name    string
	inputs  []config.Input
	environ map[string]string
	// differs is empty where both must read the same, or both refuse. Otherwise they
	// must differ, and poolcast must have an error or a warning with this text.
	differs string
	// differsSince is the first major version of Cinder for which differs is true, 0
	// for all: older libraries read as poolcast does.
	differsSince int
	// since is the first major version of Cinder that can read this at all.
	since int
}

// TestConfigMatchesOsloConfig compares the configurations of config/testdata, of the
// examples, and of the tables in config_cases_test.go.
func TestConfigMatchesOsloConfig(t *testing.T) {
	t.Parallel()
	var readings []reading
	readings = append(readings, corpusReadings(t)...)
	readings = append(readings, snippetReadings(t)...)
	readings = append(readings, urlReadings(t)...)
	readings = append(readings, orderReadings(t)...)
	compare(t, readings)
}

// TestConfigMatchesOsloConfigRandom puts configurations together from valid and invalid
// fragments. POOLCAST_SEED draws others.
func TestConfigMatchesOsloConfigRandom(t *testing.T) {
	t.Parallel()
	seed := uint64(1)
	if text := os.Getenv("POOLCAST_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	r := rand.New(rand.NewPCG(seed, 0))
	var readings []reading
	for i := range 300 {
		name := fmt.Sprintf("random %d of seed %d", i, seed)
		readings = append(readings, reading{name: name, inputs: config.Files(write(t, randomConf(r)))})
	}
	compare(t, readings)
}

// TestConfigAcceptsCinderOptions checks that an option of Cinder is never reported as
// misspelt.
func TestConfigAcceptsCinderOptions(t *testing.T) {
	t.Parallel()
	var names []string
	run(t, nil, &names, "options")
	var b strings.Builder
	b.WriteString("[DEFAULT]\nenabled_backends = a\n[a]\nvolume_driver = cinder.volume.drivers.pure.PureISCSIDriver\nsan_ip = 10.0.0.1\npure_api_token = t\n")
	known := map[string]bool{}
	for _, o := range config.Options() {
		known[o.Name] = true
	}
	for _, name := range names {
		if !known[name] {
			fmt.Fprintf(&b, "%s = x\n", name)
		}
	}
	cfg, err := config.Load(config.Sources{Inputs: config.Files(write(t, b.String()))})
	if err != nil {
		t.Fatal(err)
	}
	if len(names) < 100 || len(cfg.Warnings) > 0 {
		t.Errorf("of %d options some are reported as misspelt: %v", len(names), cfg.Warnings)
	}
}

// compare reads each configuration with both and compares the results.
func compare(t *testing.T, readings []reading) {
	t.Helper()
	theirs, major := cinderReads(t, readings)
	for i, r := range readings {
		t.Run(r.name, func(t *testing.T) {
			ours, messages := poolcastReads(r)
			if ours != nil {
				ours = withoutNewer(ours, theirs[i])
			}
			why := fmt.Sprint("Cinder: ", theirs[i]["why"])
			delete(theirs[i], "why")
			diff := cmp.Diff(theirs[i], ours)
			expected := r.differs
			if major < r.differsSince {
				expected = ""
			}
			switch {
			case major < r.since:
				t.Logf("Cinder %d is too old for it: %s", major, why)
			case expected == "" && diff != "":
				t.Errorf("Cinder (-) and poolcast (+) differ:\n%s\n%s\n%s", diff, messages, why)
			case expected != "" && diff == "":
				t.Errorf("expected a difference about %q, and there is none: %s\n%s", expected, messages, why)
			case !strings.Contains(messages, expected):
				t.Errorf("poolcast reads it differently, and does not report %q:\n%s", expected, messages)
			}
		})
	}
}

// cinderReads runs read_cinder_conf.py once for all. A refusal is {"refused": true}.
func cinderReads(t *testing.T, readings []reading) (results []map[string]any, major int) {
	t.Helper()
	type request struct {
		Args    []string          `json:"args"`
		Environ map[string]string `json:"environ"`
	}
	requests := make([]request, len(readings))
	for i, r := range readings {
		requests[i] = request{Args: []string{}, Environ: r.environ}
		for _, in := range r.inputs {
			flag := "--config-file"
			if in.Dir {
				flag = "--config-dir"
			}
			requests[i].Args = append(requests[i].Args, flag, in.Path)
		}
	}
	var output struct {
		Cinder  int              `json:"cinder"`
		Results []map[string]any `json:"results"`
	}
	run(t, requests, &output)
	return output.Results, output.Cinder
}

// run runs read_cinder_conf.py with JSON on its input and output.
func run(t *testing.T, input, output any, args ...string) {
	t.Helper()
	python := os.Getenv("POOLCAST_DEBIAN_PYTHON")
	if python == "" {
		python = "/usr/bin/python3"
	}
	text, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, append([]string{"read_cinder_conf.py"}, args...)...)
	cmd.Stdin = bytes.NewReader(text)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s cannot read with Cinder's options; install python3-cinder, or name an interpreter in POOLCAST_DEBIAN_PYTHON: %v\n%s", python, err, errs.String())
	}
	if err := json.Unmarshal(out, output); err != nil {
		t.Fatal(err)
	}
}

// poolcastReads returns what poolcast reads, in the form of the script, and its errors and
// warnings.
func poolcastReads(r reading) (result map[string]any, messages string) {
	environ := make([]string, 0, len(r.environ))
	for name, value := range r.environ {
		environ = append(environ, name+"="+value)
	}
	cfg, err := config.Load(config.Sources{Inputs: r.inputs, Environ: environ})
	for _, w := range cfg.Warnings {
		messages += w.String() + "\n"
	}
	if err != nil {
		return map[string]any{"refused": true}, messages + err.Error()
	}
	for _, b := range cfg.Broken { // the script refuses the whole file for one value
		return map[string]any{"refused": true}, messages + b.Faults.Error()
	}
	text, err := json.Marshal(inCinderTerms(cfg))
	if err != nil {
		return nil, err.Error()
	}
	if err := json.Unmarshal(text, &result); err != nil {
		return nil, err.Error()
	}
	return result, messages
}

// withoutNewer removes from ours what the release of Cinder does not have.
func withoutNewer(ours, theirs map[string]any) map[string]any {
	for key, value := range theirs {
		their, ok := value.(map[string]any)
		our, same := ours[key].(map[string]any)
		if !ok || !same || key == "extra_capabilities" {
			continue
		}
		for name := range our {
			if _, has := their[name]; !has {
				delete(our, name)
			}
		}
	}
	theirList, _ := theirs["backends"].([]any)
	ourList, _ := ours["backends"].([]any)
	for i := range min(len(theirList), len(ourList)) {
		their, ok := theirList[i].(map[string]any)
		our, same := ourList[i].(map[string]any)
		if !ok || !same {
			continue
		}
		for name := range our {
			if _, has := their[name]; !has {
				delete(our, name)
			}
		}
		if our["pure_api_token"] == nil {
			delete(their, "pure_api_token")
		}
	}
	return ours
}

// inCinderTerms is a configuration in the form of the script.
func inCinderTerms(cfg *config.Config) map[string]any {
	s, b, api := cfg.Scheduler, cfg.Bus, cfg.API
	brokers := []any{}
	for _, h := range b.Brokers {
		brokers = append(brokers, map[string]any{"host": h.Host, "port": h.Port, "username": h.Username, "password": h.Password.Reveal()})
	}
	backends := []any{}
	for _, be := range cfg.Backends {
		backends = append(backends, backendInCinderTerms(be))
	}
	return map[string]any{
		"default": map[string]any{
			"control_exchange":                     b.Exchange,
			"scheduler_default_filters":            s.Filters,
			"scheduler_default_weighers":           s.Weighers,
			"scheduler_weight_handler":             s.Handler,
			"capacity_weight_multiplier":           s.CapacityMultiplier,
			"allocated_capacity_weight_multiplier": s.AllocatedCapacityMultiplier,
			"volume_number_multiplier":             s.VolumeNumberMultiplier,
			"max_over_subscription_ratio":          ratio(s.MaxOverSubscription),
			"backend_stats_polling_interval":       cfg.PollingInterval.Seconds(),
			"periodic_interval":                    cfg.PeriodicInterval.Seconds(),
			"storage_availability_zone":            api.StorageZone,
			"default_availability_zone":            api.DefaultZone,
			"allow_availability_zone_fallback":     api.ZoneFallback,
			"cloned_volume_same_az":                api.CloneSameZone,
			"snapshot_same_host":                   api.SnapshotSameHost,
			"default_volume_type":                  api.DefaultType,
		},
		"rabbit": map[string]any{
			"ssl": b.TLS.Enabled, "ssl_ca_file": b.TLS.CAFile, "ssl_cert_file": b.TLS.CertFile, "ssl_key_file": b.TLS.KeyFile,
			"heartbeat_timeout_threshold": b.Heartbeat.Seconds(), "rabbit_login_method": b.LoginMethod,
			"kombu_failover_strategy": b.Failover, "kombu_reconnect_delay": b.Retry.Delay.Seconds(),
			"rabbit_retry_interval": b.Retry.Interval.Seconds(), "rabbit_retry_backoff": b.Retry.Backoff.Seconds(),
			"rabbit_interval_max": b.Retry.Max.Seconds(), "rabbit_transient_quorum_queue": b.TransientQuorum,
			"rabbit_quorum_queue": b.QuorumQueues,
		},
		"url":      map[string]any{"virtual_host": b.VirtualHost, "brokers": brokers},
		"backends": backends,
	}
}

func backendInCinderTerms(b config.Backend) map[string]any {
	replication := []any{}
	for _, d := range b.Replication.Devices {
		replication = append(replication, map[string]any{
			"backend_id": d.BackendID, "san_ip": d.Address.String(), "api_token": d.Token.Reveal(), "type": d.Type,
		})
	}
	var token any // absent where a file or a command is used
	if b.Credential.File == "" && len(b.Credential.Command) == 0 {
		token = b.Credential.Token.Reveal()
	}
	terms := map[string]any{
		"stanza": b.Stanza, "host": b.Host, "cluster": b.Cluster, "pool": b.VolumeBackendName, "zone": b.Zone,
		"san_ip":                 b.Address.String(),
		"driver_ssl_cert_verify": b.VerifyTLS, "driver_ssl_cert_path": b.CAPath,
		"extra_capabilities": b.Extra, "reserved_percentage": b.ReservedPercentage,
		"max_over_subscription_ratio":               ratio(b.MaxOverSubscription),
		"pure_automatic_max_oversubscription_ratio": b.AutomaticRatio,
		"filter_function":                           b.FilterFunction, "goodness_function": b.GoodnessFunction,
		"protocol": b.Protocol, "replication": replication,
	}
	if token != nil {
		terms["pure_api_token"] = token
	}
	return terms
}

func ratio(r config.OverSubscription) any {
	if r.Auto {
		return "auto"
	}
	return r.Ratio
}

// write writes a configuration to a file and returns its path.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cinder.conf")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
