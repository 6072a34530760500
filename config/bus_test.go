package config

import (
	"fmt"
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
		"rabbit_stream_fanout", "rabbit_ha_queues", "amqp_durable_queues",
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

// TestNotifications checks that the broker of the notifications is that of the bus
// unless another one is written, and that another broker than RabbitMQ is a fault only
// where notifications are received.
func TestNotifications(t *testing.T) {
	const section = "[oslo_messaging_notifications]\n"
	for name, c := range map[string]struct {
		text, host, topics string
		quorum             bool
		fault              string
	}{
		"defaults":            {host: "localhost", topics: "notifications"},
		"topics and quorum":   {text: section + "topics = cinder, notifications\n[oslo_messaging_rabbit]\nrabbit_quorum_queue = yes\n", host: "localhost", topics: "cinder notifications", quorum: true},
		"another broker":      {text: section + "transport_url = rabbit://u:T0PS3CRET@other:5673/v\n", host: "other", topics: "notifications"},
		"Kafka, not received": {text: section + "transport_url = kafka://T0PS3CRET@k\n", host: "localhost", topics: "notifications"},
		"Kafka, received": {
			text:  section + "transport_url = kafka://T0PS3CRET@k\n[poolcast]\nexplain_failures = true\n",
			fault: "cinder.conf:8: [oslo_messaging_notifications] transport_url cannot be used for explain_failures: it is not for RabbitMQ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := loadBus(t, c.text)
			if c.fault != "" {
				if err == nil || !strings.Contains(err.Error(), c.fault) || strings.Contains(err.Error(), "T0PS3CRET") {
					t.Errorf("the error is %v, want %s", err, c.fault)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			n := cfg.Bus.Notifications
			if n.Brokers[0].Host != c.host || strings.Join(n.Topics, " ") != c.topics || cfg.Bus.QuorumQueues != c.quorum || cfg.Agent.ExplainFailures {
				t.Errorf("got %+v, quorum %t", n, cfg.Bus.QuorumQueues)
			}
		})
	}
}

// TestBusLoginMethodNotSupported checks that the fault has the line of the option.
func TestBusLoginMethodNotSupported(t *testing.T) {
	_, err := loadBus(t, "[oslo_messaging_rabbit]\nrabbit_login_method = RABBIT-CR-DEMO\n")
	if err == nil || !strings.Contains(err.Error(), "cinder.conf:8:") || !strings.Contains(err.Error(), "PLAIN, AMQPLAIN, EXTERNAL") {
		t.Errorf("the error is %v", err)
	}
}

func TestTransportURL(t *testing.T) {
	for text, want := range map[string]string{
		"rabbit://":                            "guest:guest@localhost:5672 vhost /",
		"rabbit://u:p@h":                       "u:p@h:5672 vhost /",
		"rabbit://u:p@h/":                      "u:p@h:5672 vhost /",
		"rabbit://u:p@h//":                     "u:p@h:5672 vhost /",
		"rabbit://u:p@h:1/a%2Fb":               "u:p@h:1 vhost a/b",
		"rabbit://u:p@h1:1,v:q@h2:2,h3/x":      "u:p@h1:1 v:q@h2:2 guest:guest@h3:5672 mixed vhost x",
		"rabbit://u%40x:p%3A%2F%25@h/":         "u@x:p:/%@h:5672 vhost /",
		"rabbit://u@x:p:q@h/":                  "u@x:p:q@h:5672 vhost /",
		"rabbit://u:p%zz@h/":                   "u:p%zz@h:5672 vhost /",
		"rabbit://u:p@[2001:db8::1]:7,[::1]/x": "u:p@2001:db8::1:7 guest:guest@::1:5672 mixed vhost x",
		"  rabbit://u:p@h1,\n\tu:p@h2/x#y":     "u:p@h1:5672 u:p@h2:5672 vhost x",
		"kombu+amqp://u:p@h/?ssl=1&x=&a=b+c":   "u:p@h:5672 vhost / map[a:b c ssl:1]",
	} {
		u, err := parseTransportURL(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var got []string
		for _, b := range u.brokers {
			got = append(got, fmt.Sprintf("%s:%s@%s:%d", b.Username, b.Password.Reveal(), b.Host, b.Port))
		}
		if u.mixedAccounts {
			got = append(got, "mixed")
		}
		got = append(got, "vhost "+u.virtualHost)
		if len(u.query) > 0 {
			got = append(got, fmt.Sprint(u.query))
		}
		if got := strings.Join(got, " "); got != want {
			t.Errorf("%s:\n got %s\nwant %s", text, got, want)
		}
	}
}

func TestTransportURLInvalid(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "has no scheme",
		"//h":                           "has no scheme",
		sentinel:                        "has no scheme",
		"kafka://h":                     "is not for RabbitMQ",
		"rabbit://u:" + sentinel + "#x": "has a port that is not a number from 1 to 65535",
		"rabbit://u:" + sentinel + "@":  "has an account without a host",
		"rabbit://h:70000":              "has a port that is not a number from 1 to 65535",
		"rabbit://u:p@h/,rabbit://u:" + sentinel + "@h/": "has another account after the virtual host; join hosts as user:password@host1,user:password@host2/virtual_host, and write @ in a virtual host as %40",

		"rabbit://[::1": "has a [ that is not closed",
	} {
		_, err := parseTransportURL(text)
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}
