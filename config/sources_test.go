package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// minimal is the smallest valid configuration.
const minimal = `[DEFAULT]
enabled_backends = a
host = ctl1
[a]
volume_driver = cinder.volume.drivers.pure.PureISCSIDriver
san_ip = 10.0.0.1
pure_api_token = ` + sentinel + "\n"

// write writes files into a new folder and returns the folder.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func TestInputOrder(t *testing.T) {
	folder := write(t, map[string]string{
		"first.conf":         minimal + "volume_backend_name = first\nreserved_percentage = 1\n",
		"conf.d/10.conf":     "[a]\nvolume_backend_name = ten\n",
		"conf.d/9.conf":      "[a]\nvolume_backend_name = nine\n",
		"conf.d/.hid.conf":   "[a]\nvolume_backend_name = hidden\n",
		"conf.d/readme.text": "not for us",
		"last.conf":          "[A]\nvolume_backend_name = last\n",
	})
	in := func(name string) Input { return Input{Path: filepath.Join(folder, name), Dir: name == "conf.d"} }
	for want, inputs := range map[string][]Input{
		"nine 1":  {in("first.conf"), in("conf.d")},
		"first 1": {in("conf.d"), in("first.conf")},
		"last 1":  {in("first.conf"), in("conf.d"), in("last.conf")},
	} {
		cfg, err := Load(Sources{Inputs: inputs})
		if err != nil {
			t.Fatal(err)
		}
		b := cfg.Backends[0]
		if got := b.VolumeBackendName + " " + map[bool]string{true: "1"}[b.ReservedPercentage == 1]; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestPaths(t *testing.T) {
	folder := write(t, map[string]string{"cinder.conf": minimal, "cinder.conf.d/a.conf": ""})
	cfg, err := Load(Sources{Inputs: defaultInputs(folder)})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, path := range cfg.Paths {
		got = append(got, strings.TrimPrefix(path, folder+"/"))
	}
	if diff := cmp.Diff([]string{"cinder.conf.d", "cinder.conf", "cinder.conf.d/a.conf"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestPathsOfInvalidFile(t *testing.T) {
	folder := write(t, map[string]string{"cinder.conf": "words"})
	cfg, err := Load(Sources{Inputs: Files(filepath.Join(folder, "cinder.conf"))})
	if err == nil || len(cfg.Paths) != 1 || len(cfg.Backends) != 0 {
		t.Errorf("%v, %+v", err, cfg)
	}
}

func TestInputUnreadable(t *testing.T) {
	folder := write(t, map[string]string{"a.conf": minimal})
	for name, in := range map[string]Input{
		"no file":         {Path: filepath.Join(folder, "none.conf")},
		"no folder":       {Path: filepath.Join(folder, "none"), Dir: true},
		"folder for file": {Path: folder},
		"file for folder": {Path: filepath.Join(folder, "a.conf"), Dir: true},
	} {
		_, err := Load(Sources{Inputs: []Input{in}})
		fault := new(FieldError)
		if !errors.As(err, &fault) || fault.File != in.Path || !strings.Contains(err.Error(), "cannot be read") {
			t.Errorf("%s: %v", name, err)
		}
		if strings.HasPrefix(name, "no ") && (!errors.Is(err, fs.ErrNotExist) || fault.Hint == "") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestInputBelowHome(t *testing.T) {
	folder := write(t, map[string]string{"my.conf": minimal})
	if _, err := Load(Sources{Inputs: Files("~/my.conf"), Environ: []string{"HOME=" + folder}}); err != nil {
		t.Error(err)
	}
}

func TestEnvironmentOverridesFiles(t *testing.T) {
	folder := write(t, map[string]string{"a.conf": minimal})
	cfg, err := Load(Sources{
		Inputs: Files(filepath.Join(folder, "a.conf")),
		Environ: []string{
			"OS_A__VOLUME_BACKEND_NAME=\"$san_ip # kept\"", "OS_DEFAULT__HOST=env", "OS_POOLCAST__POLL_INTERVAL=7",
			"OS_DEFAULT__HOST=a second one does not count", "NONSENSE", "os_a__san_ip=10.9.9.9",
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	b := cfg.Backends[0]
	if got := b.VolumeBackendName + " " + b.Host + " " + b.Address.String() + " " + cfg.Agent.PollInterval.String(); got != `"10.0.0.1 # kept" env@a 10.0.0.1 7s` {
		t.Error(got)
	}
}

func TestEnvironmentFaults(t *testing.T) {
	folder := write(t, map[string]string{"a.conf": minimal})
	_, err := Load(Sources{
		Inputs:  Files(filepath.Join(folder, "a.conf")),
		Environ: []string{"OS_A__RESERVED_PERCENTAGE=101", "OS_A__REPLICATION_DEVICE=backend_id:" + sentinel, "OS_POOLCAST__POL_INTERVAL=5"},
	})
	want := `OS_A__RESERVED_PERCENTAGE: [a] reserved_percentage "101" is too large. Write a whole number from 0 to 100.
OS_A__REPLICATION_DEVICE: [a] replication_device can have several values, which oslo.config cannot read from the environment. Write it into a file.
OS_POOLCAST__POL_INTERVAL: [poolcast] is not an option of poolcast. Did you mean poll_interval?`
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func TestFlagsOverrideAll(t *testing.T) {
	folder := write(t, map[string]string{"a.conf": minimal + "[poolcast]\npoll_interval = 1h\nlog_level = error\noverlay = false\n"})
	cfg, err := Load(Sources{
		Inputs:  Files(filepath.Join(folder, "a.conf")),
		Environ: []string{"OS_POOLCAST__POLL_INTERVAL=9"},
		Flags:   map[string]string{"poll_interval": "5s", "log-level": "debug", "tls_cert_file": "$x # y", "tls_key_file": "k"},
	})
	if err != nil {
		t.Fatal(err)
	}
	a := cfg.Agent
	if a.PollInterval != 5*time.Second || a.PollTimeout != 4*time.Second || a.StaleAfter != 15*time.Second || a.LogLevel != "debug" || a.Overlay || a.TLSCertFile != "$x # y" {
		t.Errorf("%+v", a)
	}
}

func TestFlagFaults(t *testing.T) {
	folder := write(t, map[string]string{"a.conf": minimal})
	_, err := Load(Sources{
		Inputs: Files(filepath.Join(folder, "a.conf")),
		Flags:  map[string]string{"poll_interval": "1s", "colour": "red"},
	})
	for _, want := range []string{`--poll-interval: [poolcast] poll_interval "1s" is too small`, "--colour: is not an option of [poolcast]"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not hold %q", err, want)
		}
	}
}

func TestHostnameIsDefaultHost(t *testing.T) {
	folder := write(t, map[string]string{"a.conf": strings.Replace(minimal, "host = ctl1\n", "", 1)})
	path := filepath.Join(folder, "a.conf")
	cfg, err := Load(Sources{Inputs: Files(path), hostname: "node7"})
	if err != nil || cfg.Backends[0].Host != "node7@a" {
		t.Errorf("%v %v", cfg.Backends, err)
	}
	system, err := os.Hostname()
	if err != nil {
		t.Skip("the system has no name")
	}
	if cfg, err = Load(Sources{Inputs: Files(path)}); err != nil || cfg.Backends[0].Host != system+"@a" {
		t.Errorf("%v %v", cfg.Backends, err)
	}
}

func TestFaultOrder(t *testing.T) {
	folder := write(t, map[string]string{
		"z.conf": minimal + "reserved_percentage = x\ndriver_ssl_cert_verify = x\n[oslo_messaging_rabbit]\nssl = x\n",
		"a.conf": "[DEFAULT]\nvolume_number_multiplier = x\n[poolcast]\nx = y\n",
	})
	_, err := Load(Sources{Inputs: Files(filepath.Join(folder, "z.conf"), filepath.Join(folder, "a.conf"))})
	var faults FieldErrors
	if !errors.As(err, &faults) {
		t.Fatal(err)
	}
	var got []string
	for _, f := range faults {
		got = append(got, filepath.Base(f.File)+" "+f.Key)
	}
	want := []string{"z.conf reserved_percentage", "z.conf driver_ssl_cert_verify", "z.conf ssl", "a.conf volume_number_multiplier", "a.conf x"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
