package config

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// two is a valid configuration of two backends, with places for more lines.
const two = `[DEFAULT]
enabled_backends = a,b
host = ctl1
DEFAULT-LINES
[backend_defaults]
volume_driver = cinder.volume.drivers.pure.PureISCSIDriver
SHARED-LINES
[a]
san_ip = 10.0.0.1
pure_api_token = ` + sentinel + `
A-LINES
[b]
san_ip = 10.0.0.2
pure_api_token = t
reserved_percentage = 5
[poolcast]
POOLCAST-LINES
`

// loadTwo adds lines to sections of two.
func loadTwo(t *testing.T, lines map[string]string) (*Config, error) {
	t.Helper()
	text := two
	for _, section := range []string{"DEFAULT", "SHARED", "A", "POOLCAST"} {
		text = strings.Replace(text, section+"-LINES", lines[section], 1)
	}
	folder := write(t, map[string]string{"cinder.conf": text})
	return Load(Sources{Inputs: Files(filepath.Join(folder, "cinder.conf")), hostname: "thishost"})
}

func stanzas[T any](list []T, of func(T) string) string {
	var names []string
	for _, x := range list {
		names = append(names, of(x))
	}
	return strings.Join(names, ",")
}

func TestLoadFaultInBackendSection(t *testing.T) {
	for name, c := range map[string]struct {
		lines          map[string]string
		served, broken string
		fault          string // a part of the first fault
	}{
		"none":                 {nil, "a,b", "", ""},
		"a value":              {map[string]string{"A": "reserved_percentage = 101"}, "b", "a", "cinder.conf:11: [a] reserved_percentage"},
		"JSON":                 {map[string]string{"A": `extra_capabilities = {"tier": `}, "b", "a", "cinder.conf:11: [a] extra_capabilities"},
		"a driver":             {map[string]string{"A": "volume_driver = cinder.volume.drivers.pure.PureISCDriver"}, "b", "a", "PureISCSIDriver?"},
		"a shared value":       {map[string]string{"SHARED": "reserved_percentage = x"}, "b", "a", "cinder.conf:7: [backend_defaults] reserved_percentage"},
		"a misspelt section":   {map[string]string{"DEFAULT": "enabled_backends = a,flasharray_2,b\n[flasharray_02]\nsan_ip = 10.0.0.9"}, "a,b", "flasharray_2", "cinder.conf:4: [flasharray_2] is listed in enabled_backends, but there is no such section. Did you mean flasharray_02?"},
		"a replication device": {map[string]string{"A": "replication_device = backend_id:x"}, "b", "a", "has no san_ip"},
		"a substitution":       {map[string]string{"A": "volume_backend_name = $nothing"}, "b", "a", "$nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := loadTwo(t, c.lines)
			if err != nil {
				t.Fatal(err)
			}
			served := stanzas(cfg.Backends, func(b Backend) string { return b.Stanza })
			broken := stanzas(cfg.Broken, func(b Broken) string { return b.Stanza })
			if served != c.served || broken != c.broken {
				t.Fatalf("served %s, broken %s", served, broken)
			}
			if c.broken != "" && !strings.Contains(cfg.Broken[0].Faults.Error(), c.fault) {
				t.Errorf("got %v", cfg.Broken[0].Faults)
			}
		})
	}
}

func TestLoadFatalFault(t *testing.T) {
	for name, c := range map[string]struct {
		lines map[string]string
		want  []string // parts of the error
	}{
		"DEFAULT":                 {map[string]string{"DEFAULT": "backend_stats_polling_interval = x"}, []string{"[DEFAULT] backend_stats"}},
		"the host":                {map[string]string{"DEFAULT": "host = $nothing"}, []string{"[DEFAULT] host"}},
		"poolcast":                {map[string]string{"POOLCAST": "poll_intervall = 5"}, []string{"[poolcast] poll_intervall"}},
		"the broker":              {map[string]string{"DEFAULT": "transport_url = qpid://x"}, []string{"transport_url is not for RabbitMQ"}},
		"key without certificate": {map[string]string{"DEFAULT": "[oslo_messaging_rabbit]\nssl = true\nssl_key_file = /x"}, []string{"ssl_key_file is set without ssl_cert_file"}},
		"no syntax":               {map[string]string{"A": "words"}, []string{"[a] line has neither"}},
		"every section":           {map[string]string{"DEFAULT": "enabled_backends = a", "A": "reserved_percentage = x"}, []string{"[a] reserved_percentage"}},
		"with a fault of a section": {
			map[string]string{"POOLCAST": "on_stale = x", "A": "reserved_percentage = x"},
			[]string{"[a] reserved_percentage", "[poolcast] on_stale"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := loadTwo(t, c.lines)
			if err == nil {
				t.Fatal("loaded")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%s is not in %v", want, err)
				}
			}
		})
	}
}

// TestLoadAcceptedWithWarning has values that Cinder accepts and that are probably
// mistakes.
func TestLoadAcceptedWithWarning(t *testing.T) {
	for i, c := range []struct {
		section, line string
		wrong         bool
		want          []string
	}{
		{"A", "replication_device = backend_id:x,san_ip:10.0.0.9,api_token:u,type:Sync", false, []string{"[a] replication_device", `the unknown type "Sync"`, "read as async", "Write type:async or type:sync"}},
		{"A", "extra_capabilities = []", false, []string{"cinder.conf:11", "adds no capability"}},
		{"A", "extra_capabilities = null", false, []string{"adds no capability"}},
		{"A", `extra_capabilities = ""`, false, nil}, // oslo.config removes the quotes
		{"A", `extra_capabilities = 0`, false, []string{"adds no capability"}},
		{"A", `extra_capabilities = {"a": NaN, "b": [-Infinity], "c": "NaN", "d": 1}`, false, []string{`without "a", "b", which`, "unreadable_base"}},
		{"DEFAULT", "config_source = vault", false, []string{"cinder.conf:4: [DEFAULT] config_source", "does not read", "--config-file"}},
		{"DEFAULT", "config_dir = /etc/x", false, []string{"[DEFAULT] config_dir", "--config-dir"}},
		{"DEFAULT", "[oslo_messaging_rabbit]\nrabbit_hosts = 10.0.0.7:5673,10.0.0.8\nrabbit_password = " + sentinel, true, []string{
			"cinder.conf:5: [oslo_messaging_rabbit] rabbit_hosts", "localhost:5672", "transport_url = rabbit://USER:PASSWORD@10.0.0.7:5673,USER:PASSWORD@10.0.0.8:5672/VIRTUAL_HOST",
		}},
		{"DEFAULT", "rabbit_host = rabbit1", true, []string{"cinder.conf:4: [DEFAULT] rabbit_host", "USER:PASSWORD@rabbit1:5672/"}},
		{"DEFAULT", "transport_url = rabbit://u:p@h:/", false, []string{"cinder.conf:4: [DEFAULT] transport_url", "no port after it", "Write host:5672"}},
		{"A", "filter_function = 1 ; two", true, []string{"cinder.conf:11: [a] filter_function", `"1 ; two"`, "on a line of its own"}},
		{"A", "volume_backend_name = gold # prod", true, []string{`"gold # prod"`, "on a line of its own"}},
		{"A", "reserved_percentage = 10 ; percent", false, []string{"cinder.conf:11: [a] reserved_percentage is read without the comment", `reads "10 ; percent"`}},
		{"A", `pure_api_token = {"token": "` + sentinel + `"}`, true, []string{"cinder.conf:11: [a] pure_api_token looks like JSON", "Write the token alone"}},
		{"A", `pure_api_token = ""` + sentinel + `""`, true, []string{"begins or ends with a quote"}},
		{"A", `pure_api_token = "` + sentinel + `"`, false, nil},
	} {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			cfg, err := loadTwo(t, map[string]string{c.section: c.line})
			if c.line == `extra_capabilities = ""` {
				if err != nil || len(cfg.Broken) != 1 || !strings.Contains(cfg.Broken[0].Faults.Error(), "is empty, and Cinder refuses") {
					t.Errorf("an empty value was accepted: %v", err)
				}
				return
			}
			if err != nil || len(cfg.Broken) > 0 {
				t.Fatalf("refused: %v %v", err, cfg.Broken)
			}
			if len(c.want) == 0 {
				if len(cfg.Warnings) > 0 {
					t.Errorf("warnings for a valid value: %v", cfg.Warnings)
				}
				return
			}
			if len(cfg.Warnings) != 1 || cfg.Warnings[0].Serious != c.wrong {
				t.Fatalf("warnings: %v", cfg.Warnings)
			}
			text := cfg.Warnings[0].String()
			for _, want := range c.want {
				if !strings.Contains(text, want) || strings.Contains(text, sentinel) {
					t.Errorf("want %q in %s", want, text)
				}
			}
		})
	}
}

// TestLoadCommentsAfterNames checks that names, zones and functions keep a comment
// after the value, as in Cinder, unless StripComments is set.
func TestLoadCommentsAfterNames(t *testing.T) {
	folder := write(t, map[string]string{"cinder.conf": `[DEFAULT]
host = ctl1 # the host
cluster = blue # the cluster
storage_availability_zone = dc1 # the zone
enabled_backends = a1
[a1]
volume_driver = cinder.volume.drivers.pure.PureISCSIDriver
volume_backend_name = gold # prod
san_ip = 127.0.0.1:27017
pure_api_token = t
filter_function = capabilities.a < 3 # no comment
goodness_function = 50 ; 60
`})
	sources := Sources{Inputs: Files(filepath.Join(folder, "cinder.conf"))}
	for stripComments, want := range map[bool]string{
		false: "ctl1 # the host@a1|blue # the cluster@a1|dc1 # the zone|gold # prod|capabilities.a < 3 # no comment|50 ; 60",
		true:  "ctl1@a1|blue@a1|dc1|gold|capabilities.a < 3|50",
	} {
		sources.StripComments = stripComments
		cfg, err := Load(sources)
		if err != nil {
			t.Fatal(err)
		}
		b := cfg.Backends[0]
		if got := strings.Join([]string{b.Host, b.Cluster, b.Zone, b.VolumeBackendName, *b.FilterFunction, *b.GoodnessFunction}, "|"); got != want {
			t.Errorf("got %s", got)
		}
		for _, w := range cfg.Warnings {
			if w.Serious == stripComments || w.Line == 0 {
				t.Errorf("warning %+v", w)
			}
		}
		if len(cfg.Warnings) != 6 {
			t.Errorf("warnings: %v", cfg.Warnings)
		}
	}
}
