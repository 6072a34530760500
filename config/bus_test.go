package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// loadBus reads a file with a backend and these lines.
func loadBus(t *testing.T, text string) (*Config, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "cinder.conf")
	backend := "[DEFAULT]\nenabled_backends = a\n[a]\nvolume_driver = cinder.volume.drivers.pure.PureISCSIDriver\nsan_ip = 10.0.0.1\npure_api_token = t\n"
	if err := os.WriteFile(file, []byte(backend+text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(Sources{Inputs: Files(file)})
}

// TestBusOptionsWithoutEffect checks that options of Cinder's services are neither
// read nor warned about, in the section and in the URL.
func TestBusOptionsWithoutEffect(t *testing.T) {
	for _, name := range []string{
		"rabbit_quorum_queue", "rabbit_stream_fanout", "rabbit_ha_queues", "amqp_durable_queues",
		"amqp_auto_delete", "ssl_version", "kombu_ssl_version", "use_queue_manager",
	} {
		for _, text := range []string{
			"[oslo_messaging_rabbit]\n" + name + " = 1\n",
			"[DEFAULT]\ntransport_url = rabbit://u:p@h/?" + name + "=1\n",
		} {
			cfg, err := loadBus(t, text)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			} else if len(cfg.Warnings) != 0 {
				t.Errorf("%s: %v", name, cfg.Warnings)
			}
		}
		for _, o := range rabbitOptions() {
			if o.Name == name {
				t.Errorf("%s is documented", name)
			}
		}
	}
}

func TestBusOptions(t *testing.T) {
	cfg, err := loadBus(t, `[oslo_messaging_rabbit]
kombu_failover_strategy = shuffle
kombu_reconnect_delay = 0.5
rabbit_retry_interval = 2
rabbit_retry_backoff = 3
rabbit_interval_max = 20
rabbit_transient_quorum_queue = true
`)
	if err != nil {
		t.Fatal(err)
	}
	want := Retry{Delay: time.Second / 2, Interval: 2 * time.Second, Backoff: 3 * time.Second, Max: 20 * time.Second}
	if b := cfg.Bus; b.Failover != "shuffle" || b.Retry != want || !b.TransientQuorum {
		t.Errorf("the bus is %+v", b)
	}
}

// TestBusLoginMethodNotSupported checks that the fault has the line of the option.
func TestBusLoginMethodNotSupported(t *testing.T) {
	_, err := loadBus(t, "[oslo_messaging_rabbit]\nrabbit_login_method = RABBIT-CR-DEMO\n")
	if err == nil || !strings.Contains(err.Error(), "cinder.conf:8:") || !strings.Contains(err.Error(), "PLAIN, AMQPLAIN, EXTERNAL") {
		t.Errorf("the error is %v", err)
	}
}
