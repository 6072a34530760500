package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/setup"
	"github.com/poolcast/poolcast/collector/placement/advice"
	"github.com/poolcast/poolcast/config"
)

// workspace is a folder with copies of testdata/check that only the owner may read.
type workspace struct {
	t      *testing.T
	folder string
}

func newWorkspace(t *testing.T) *workspace {
	t.Helper()
	d := &workspace{t: t, folder: t.TempDir()}
	files, err := filepath.Glob("testdata/check/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d.write(filepath.Base(file), string(data))
	}
	return d
}

func (d *workspace) path(name string) string { return filepath.Join(d.folder, name) }

func (d *workspace) write(name, text string) {
	d.t.Helper()
	if err := os.WriteFile(d.path(name), []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// change replaces a text in a file.
func (d *workspace) change(name, old, now string) {
	d.t.Helper()
	data, err := os.ReadFile(d.path(name))
	if err != nil {
		d.t.Fatal(err)
	}
	if !strings.Contains(string(data), old) {
		d.t.Fatalf("%s has no %q", name, old)
	}
	d.write(name, strings.ReplaceAll(string(data), old, now))
}

// run runs a subcommand; ~ stands for the folder, in arguments and output. No
// output may hold a secret.
func (d *workspace) run(args ...string) (stdout, stderr string, code int) {
	d.t.Helper()
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "~", d.folder)
	}
	var out, faults safeBuffer
	root := newRootCommand()
	root.SetArgs(append([]string{"--config-file", d.path("cinder.conf")}, args...))
	root.SetOut(&out)
	root.SetErr(&faults)
	err := root.ExecuteContext(d.t.Context())
	stdout, stderr = out.String(), faults.String()
	if err != nil {
		stderr += err.Error()
	}
	if all := stdout + stderr; strings.Contains(all, "hush") {
		d.t.Errorf("a secret is printed:\n%s", all)
	}
	return strings.ReplaceAll(stdout, d.folder, "~"), strings.ReplaceAll(stderr, d.folder, "~"), exitCode(err)
}

// golden compares a text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs; look at it and run go test ./cmd/poolcast -update\n%s", name, diff)
	}
}

func TestCheckIsGolden(t *testing.T) {
	d := newWorkspace(t)
	args := []string{"check", "--source", "~/reports.json", "--types", "~/types.json"}
	stdout, stderr, code := d.run(args...)
	if code != exit.Config || !strings.HasPrefix(stderr, "check found ") {
		t.Errorf("code %d, %s", code, stderr)
	}
	golden(t, "check.golden", stdout)

	stdout, _, code = d.run(append(args, "--output", "json")...)
	if code != exit.Config {
		t.Errorf("code %d", code)
	}
	golden(t, "check.json.golden", stdout)
	var out checkOutput
	if err := json.Unmarshal([]byte(stdout), &out); err != nil {
		t.Fatal(err)
	}
	if out.Errors != advice.Count(out.Findings, advice.Error) || out.Errors == 0 || out.Backends != 3 || out.Bus != nil {
		t.Errorf("the summary does not go with the findings: %+v", out)
	}
}

// checkOutput is what check --output json prints, as far as tests read it.
type checkOutput struct {
	Errors   int              `json:"errors"`
	Backends int              `json:"backends"`
	Bus      any              `json:"bus"`
	Findings []advice.Finding `json:"findings"`
}

func codes(t *testing.T, stdout string) string {
	t.Helper()
	var out checkOutput
	if err := json.Unmarshal([]byte(stdout), &out); err != nil {
		t.Fatalf("%v in %q", err, stdout)
	}
	var all []string
	for _, f := range out.Findings {
		all = append(all, string(f.Severity)+" "+f.Code+" "+f.Where)
	}
	return strings.Join(all, "\n")
}

// sound is a cinder.conf with nothing to find.
const sound = `[DEFAULT]
host = ctl1
enabled_backends = fa1
transport_url = rabbit://cinder:hush-broker@127.0.0.1:1/
[fa1]
volume_driver = cinder.volume.drivers.pure.PureISCSIDriver
volume_backend_name = gold
san_ip = 10.0.0.1
pure_api_token = hush-fa1
driver_ssl_cert_verify = true
`

func TestCheckExitCodes(t *testing.T) {
	const (
		functions = "scheduler_default_filters = DriverFilter\n"
		offline   = "--source=~/reports.json"
	)
	for _, c := range []struct {
		name, old, now string // a change of the sound configuration
		args           []string
		code           int
		want           string // a line of the findings, or of stderr
	}{
		{name: "sound", args: []string{offline}, code: exit.OK},
		{name: "simulated", args: []string{"--simulate"}, code: exit.OK},
		{name: "a note", old: "enabled_backends = fa1", now: "enabled_backends = fa1,lvm\n[lvm]\nvolume_driver = x.LVM\n[DEFAULT]", args: []string{offline}, want: "note ignored-backend [lvm]"},
		{name: "a warning", old: "driver_ssl_cert_verify = true\n", args: []string{offline}, code: exit.Partial, want: "warning certificate-not-verified ~/cinder.conf:5: [fa1] driver_ssl_cert_verify"},
		{name: "certificates the driver does not read", old: "verify = true\n", now: "verify = true\ndriver_ssl_cert_path = ~/ca.pem\n", args: []string{offline}, code: exit.Partial, want: "warning certificate-path-unread ~/cinder.conf:11: [fa1] driver_ssl_cert_path"},
		{name: "an error", old: "[fa1]\n", now: functions + "[fa1]\nfilter_function = load < 3\n", args: []string{offline}, code: exit.Config, want: "error bare-word ~/cinder.conf:7: [fa1] filter_function"},
		{name: "a fault of the file", old: "san_ip = 10.0.0.1\n", args: []string{offline}, code: exit.Config, want: "error configuration-fault ~/cinder.conf:5: [fa1] san_ip"},
		{name: "an unused function", old: "[fa1]\n", now: "[fa1]\nfilter_function = 1 == 1\n", args: []string{offline}, code: exit.Partial, want: "warning function-unused ~/cinder.conf:6: [fa1] filter_function"},
		{name: "an unused goodness function", old: "[fa1]\n", now: "[fa1]\ngoodness_function = 50\n", args: []string{offline}, code: exit.Partial, want: "warning function-unused ~/cinder.conf:6: [fa1] goodness_function"},
		{name: "a weigher without a function", old: "[fa1]\n", now: "scheduler_default_weighers = GoodnessWeigher\n[fa1]\n", args: []string{offline}, code: exit.Partial, want: "warning goodness-missing ~/cinder.conf:5: [DEFAULT] scheduler_default_weighers"},
		{name: "a pinned measurement", old: "[fa1]\n", now: "[fa1]\nextra_capabilities = {\"total_volumes\": 1}\n", args: []string{offline}, code: exit.Partial, want: "warning pinned-key ~/cinder.conf:6: [fa1] extra_capabilities"},
		{name: "a pinned option", old: "[fa1]\n", now: "[fa1]\nextra_capabilities = {\"volume_backend_name\": \"x\"}\n", args: []string{offline}, code: exit.Partial, want: "warning pinned-key"},
		{name: "a published static label", old: "[fa1]\n", now: "[fa1]\nextra_capabilities = {\"avg_latency_ms\": 0.3, \"array_model\": \"X\"}\n", args: []string{offline}, want: "note pinned-key"},
		{name: "which is live", old: "[fa1]\n", now: "[fa1]\nlive_capabilities = avg_latency_ms\nextra_capabilities = {\"avg_latency_ms\": 0.3}\n", args: []string{offline}},
		{name: "an unknown filter", old: "[fa1]\n", now: "scheduler_default_filters = OurOwnFilter\n[fa1]\n", args: []string{offline}, code: exit.Partial, want: "warning unknown-plugin ~/cinder.conf:5: [DEFAULT] scheduler_default_filters"},
		{name: "a misspelt filter", old: "[fa1]\n", now: "scheduler_default_filters = CapabilityFilter\n[fa1]\n", args: []string{offline}, code: exit.Partial, want: "did you mean"},
		{name: "an array that is away", args: []string{"--no-bus", "--poll-timeout=1s"}, old: "10.0.0.1", now: "127.0.0.1:1", code: exit.Partial, want: "warning array-not-read ~/cinder.conf:8: [fa1] san_ip"},
		{name: "a broker that is away", args: []string{offline, "--listen-for=300ms"}, code: exit.Partial, want: "warning bus-unavailable ~/cinder.conf:4: [DEFAULT] transport_url"},
		{name: "no such types", args: []string{"--types=~/nowhere"}, code: exit.Usage, want: "read volume types"},
		{name: "no such backend", args: []string{"--backend=fa9"}, code: exit.Usage, want: "there is no such backend"},
		{name: "a time of nothing", args: []string{"--listen-for=-1s"}, code: exit.Usage, want: "positive time"},
		{name: "listening and not", args: []string{"--listen-for=1s", "--no-bus"}, code: exit.Usage, want: "none of the others can be"},
		{name: "no such reports", args: []string{"--source=~/nowhere"}, code: exit.Usage, want: "read reports"},
		{name: "no such file", args: []string{"--config-file=~/nowhere"}, code: exit.Config, want: "error configuration-fault ~/nowhere"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newWorkspace(t)
			d.write("cinder.conf", sound)
			d.change("reports.json", `"goodness_function"`, `"other"`)
			if c.old != "" {
				d.change("cinder.conf", c.old, strings.ReplaceAll(c.now, "~", d.folder))
			}
			// The pools of the reports are for the golden test.
			d.change("reports.json", `"host": "ctl1@fa2"`, `"host": "ctl2@fa2"`)
			d.onlyFirstReport()
			stdout, stderr, code := d.run(append([]string{"check", "--output=json"}, c.args...)...)
			printed := stderr
			if code != exit.Usage {
				printed = codes(t, stdout)
			}
			if c.want != "" && strings.Contains(stdout, c.want) {
				printed += c.want
			}
			if code != c.code || !strings.Contains(printed, c.want) || c.want == "" && printed != "" {
				t.Errorf("code %d, want %d; %q is not in\n%s\n%s", code, c.code, c.want, printed, stderr)
			}
		})
	}
}

// onlyFirstReport keeps one report, so that there is no pool to find fault with.
func (d *workspace) onlyFirstReport() {
	d.t.Helper()
	data, err := os.ReadFile(d.path("reports.json"))
	if err != nil {
		d.t.Fatal(err)
	}
	var all []json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		d.t.Fatal(err)
	}
	one, err := json.Marshal(all[:1])
	if err != nil {
		d.t.Fatal(err)
	}
	d.write("reports.json", string(one))
}

func TestCheckFindsReadableSecrets(t *testing.T) {
	d := newWorkspace(t)
	d.write("cinder.conf", strings.ReplaceAll(sound, "pure_api_token = hush-fa1", "token_file = "+d.path("token")))
	d.write("token", "hush")
	for _, name := range []string{"cinder.conf", "token"} {
		if err := os.Chmod(d.path(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	d.onlyFirstReport()
	stdout, _, code := d.run("check", "--source", "~/reports.json", "--output", "json")
	want := "warning readable-by-others ~/cinder.conf\nwarning readable-by-others ~/token"
	if got := codes(t, stdout); code != exit.Partial || !strings.Contains(got, want) {
		t.Errorf("code %d, found %s", code, got)
	}
	if !strings.Contains(stdout, "chmod o-rwx ~/token") {
		t.Errorf("there is no advice: %s", stdout)
	}
}

// The finding names the secrets that are in the file, and no others.
func TestReadableFileNamesItsSecrets(t *testing.T) {
	for _, c := range []struct{ config, want string }{
		{strings.ReplaceAll(sound, "transport_url = rabbit://cinder:hush-broker@127.0.0.1:1/\n", ""), "it holds pure_api_token"},
		{strings.ReplaceAll(sound, "pure_api_token = hush-fa1", "token_command = cat /dev/null"), "it holds transport_url"},
		{sound, "it holds transport_url and pure_api_token"},
		{strings.ReplaceAll(strings.ReplaceAll(sound, "pure_api_token = hush-fa1", "token_command = cat /dev/null"), "transport_url = rabbit://cinder:hush-broker@127.0.0.1:1/\n", ""), ""},
	} {
		d := newWorkspace(t)
		d.write("cinder.conf", c.config)
		if err := os.Chmod(d.path("cinder.conf"), 0o644); err != nil {
			t.Fatal(err)
		}
		d.onlyFirstReport()
		stdout, _, _ := d.run("check", "--source", "~/reports.json", "--no-bus", "--output", "json")
		if !strings.Contains(stdout, c.want+`"`) || strings.Contains(stdout, "it holds") != (c.want != "") {
			t.Errorf("want %q, got %s", c.want, stdout)
		}
	}
}

// Who verifies certificates as advised must not lose cinder-volume: its SDK does
// not look at driver_ssl_cert_path.
func TestCertificateAdviceWorksForCinderVolume(t *testing.T) {
	d := newWorkspace(t)
	d.write("cinder.conf", strings.Replace(sound, "driver_ssl_cert_verify = true\n", "", 1))
	d.onlyFirstReport()
	stdout, _, _ := d.run("check", "--source", "~/reports.json", "--no-bus", "--output", "json")
	cfg, err := config.Load(config.Sources{Inputs: config.Files(d.path("cinder.conf"))})
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	setup.LogNotes(zerolog.New(&log), cfg, &config.Config{}, false)
	for where, text := range map[string]string{"check": stdout, "log": log.String()} {
		for _, want := range []string{"py-pure-client 1.96 does not look at driver_ssl_cert_path", "SSL_CERT_FILE", "driver_ssl_cert_verify = true"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q is not in %s", where, want, text)
			}
		}
		if strings.Contains(text, "driver_ssl_cert_path =") {
			t.Errorf("%s: it advises a path that cinder-volume ignores: %s", where, text)
		}
	}
}

func TestCheckWithoutFindings(t *testing.T) {
	d := newWorkspace(t)
	d.write("cinder.conf", sound)
	stdout, stderr, code := d.run("check", "--simulate")
	if code != exit.OK || !strings.HasPrefix(stdout, "nothing found (reports of 1 backend, the bus was not listened to)\n\nOn 1 array, polled now,") || stderr != "" {
		t.Errorf("code %d\n%s\n%s", code, stdout, stderr)
	}
}

func TestCheckStopsAtInvalidConfiguration(t *testing.T) {
	d := newWorkspace(t)
	d.change("cinder.conf", "[DEFAULT]", "[DEFAULT]\nbackend_stats_polling_interval = x")
	stdout, _, code := d.run("check", "--simulate")
	if code != exit.Config || !strings.Contains(strings.SplitN(stdout, "\n", 2)[0], "(nothing else was checked)") {
		t.Errorf("code %d\n%s", code, stdout)
	}
}

// brokenSecond is sound, with a second backend that has a fault.
const brokenSecond = sound + `[fa2]
volume_driver = cinder.volume.drivers.pure.PureISCSIDriver
volume_backend_name = gold
pure_api_token = hush-fa2
[DEFAULT]
enabled_backends = fa1,fa2
`

// A section with a fault costs its own backend, and the rest is printed.
func TestBrokenSectionCostsOneBackend(t *testing.T) {
	d := newWorkspace(t)
	d.write("cinder.conf", brokenSecond)
	stdout, _, code := d.run("check", "--simulate", "--output", "json")
	if got := codes(t, stdout); code != exit.Partial || got != "error section-fault ~/cinder.conf:11: [fa2] san_ip" {
		t.Errorf("check ended with %d: %s", code, got)
	}
	if !strings.Contains(stdout, `"backends": 1`) {
		t.Errorf("the other backend was not checked: %s", stdout)
	}
	stdout, stderr, code := d.run("--simulate", "--dry-run")
	if code != exit.Partial || !strings.Contains(stdout, `"backend": "fa1"`) || strings.Contains(stdout, "fa2") {
		t.Errorf("the dry run ended with %d: %s", code, stdout)
	}
	for _, want := range []string{"backend is not served", "~/cinder.conf:11: [fa2] san_ip is missing", "1 of 2 backends were not read"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("%q is not in %s", want, stderr)
		}
	}
	for _, c := range []struct {
		args []string
		code int
	}{
		{[]string{"--simulate", "--dry-run", "--backend", "fa1"}, exit.OK},
		{[]string{"--simulate", "--dry-run", "--backend", "fa2"}, exit.Config},
		{[]string{"--simulate", "place", "--size", "1"}, exit.Partial},
	} {
		if _, stderr, code := d.run(c.args...); code != c.code {
			t.Errorf("%v ended with %d, want %d: %s", c.args, code, c.code, stderr)
		}
	}
}

// What looks like a comment in a name of a live cloud is an error with its line;
// with --simulate it is read as it was meant.
func TestCommentInANameIsAnError(t *testing.T) {
	d := newWorkspace(t)
	d.write("cinder.conf", strings.Replace(sound, "= gold", "= gold # prod", 1))
	d.onlyFirstReport()
	stdout, _, code := d.run("check", "--source", "~/reports.json", "--no-bus", "--output", "json")
	if got := codes(t, stdout); code != exit.Config || got != "error configuration-error ~/cinder.conf:7: [fa1] volume_backend_name" {
		t.Errorf("check ended with %d: %s", code, got)
	}
	stdout, stderr, code := d.run("--simulate", "--dry-run")
	if code != exit.OK || !strings.Contains(stdout, `"volume_backend_name": "gold"`) || !strings.Contains(stderr, "is read without the comment after it") {
		t.Errorf("the dry run ended with %d: %s %s", code, stdout, stderr)
	}
}
