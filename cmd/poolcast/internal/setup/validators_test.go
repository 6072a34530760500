package setup

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/poolcast/poolcast/config"
	"github.com/poolcast/poolcast/publisher"
	"github.com/poolcast/poolcast/publisher/status"
)

// sound is a cinder.conf without a fault.
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

// TestConfigurationIsAcceptedByEveryPart: what the configuration accepts, no other
// part of the program refuses, because its error would not name the line.
func TestConfigurationIsAcceptedByEveryPart(t *testing.T) {
	load := func(t *testing.T, old, now string) *config.Config {
		t.Helper()
		path := filepath.Join(t.TempDir(), "cinder.conf")
		if err := os.WriteFile(path, []byte(strings.Replace(sound, old, now, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, err := config.Load(config.Sources{Inputs: config.Files(path)})
		if err != nil {
			return nil
		}
		return cfg
	}
	accepted := map[string]int{}
	for _, address := range []string{
		"10.0.0.1", "10.0.0.1:8443", "array", "array.example.com:443", "[2001:db8::7]", "[2001:db8::7]:8443", "2001:db8::7", "fe80::1%eth0",
		"[fe80::1%eth0]:443", "ärray", "a_b", "a b", "a%20b", "a&b", "a!b", "a$$b", "a|b", "*", "a/b", "a:0", "a:65536", "a:", ":443", "[a]", "[::1", "::1]", "a..b", ".",
	} {
		if cfg := load(t, "10.0.0.1", address); cfg != nil {
			accepted["san_ip"]++
			if _, err := new(Clients).newClient(cfg.Backends[0], cfg.Agent, nil); err != nil {
				t.Errorf("san_ip = %s: %v", address, err)
			}
		}
	}
	for _, listen := range []string{
		"127.0.0.1:1", "localhost:1", "[::1]:1", "[::1%lo]:1", "[::ffff:127.0.0.1]:1", "127.9.9.9:0", "LOCALHOST:1", "0.0.0.0:1", ":1", "[::]:1", "127.0.0.1", "127.0.0.1:http", "127.1:1",
	} {
		if cfg := load(t, "[fa1]", "[poolcast]\nlisten = "+listen+"\n[fa1]"); cfg != nil {
			accepted["listen"]++
			if _, err := status.New(status.Options{Listen: cfg.Agent.Listen, Source: struct{ status.Source }{}}); err != nil {
				t.Errorf("listen = %s: %v", listen, err)
			}
		}
	}
	for _, lines := range []string{
		"ssl = true", "ssl = true\nssl_cert_file = /c", "ssl = true\nssl_key_file = /k", "ssl = true\nssl_cert_file = /c\nssl_key_file = /k", "ssl_key_file = /k",
		"rabbit_login_method = PLAIN", "rabbit_login_method = EXTERNAL", "heartbeat_timeout_threshold = -5", "heartbeat_timeout_threshold = 0",
	} {
		if cfg := load(t, "[fa1]", "[oslo_messaging_rabbit]\n"+lines+"\n[fa1]"); cfg != nil {
			accepted["broker"]++
			if _, err := publisher.New(BusOptions(cfg, zerolog.Nop())); err != nil {
				t.Errorf("%s: %v", lines, err)
			}
		}
	}
	for _, url := range []string{"rabbit://", "rabbit://h:1", "rabbit://u:p@h,u:p@i:2/v", "rabbit://[::1]:5672/", "rabbit://h:/", "rabbit://h:0/", "rabbit://h:70000/", "rabbit://u@/", "rabbit:///v"} {
		if cfg := load(t, "rabbit://cinder:hush-broker@127.0.0.1:1/", url); cfg != nil {
			accepted["transport_url"]++
			if _, err := publisher.New(BusOptions(cfg, zerolog.Nop())); err != nil {
				t.Errorf("transport_url = %s: %v", url, err)
			}
		}
	}
	for what, atLeast := range map[string]int{"san_ip": 10, "listen": 5, "broker": 5, "transport_url": 5} {
		if accepted[what] < atLeast {
			t.Errorf("only %d of %s were accepted", accepted[what], what)
		}
	}
}
