package setup

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/poolcast/poolcast/config"
	"github.com/poolcast/poolcast/publisher"
)

// TestBusOptionsReachThePublisher: every option that is read has an effect.
func TestBusOptionsReachThePublisher(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cinder.conf")
	text := `[DEFAULT]
enabled_backends = a
transport_url = rabbit://u:p@mq1:1111,u:p@mq2/v
control_exchange = cinder
[a]
volume_driver = cinder.volume.drivers.pure.PureISCSIDriver
san_ip = 10.0.0.1
pure_api_token = t
[oslo_messaging_rabbit]
kombu_failover_strategy = shuffle
kombu_reconnect_delay = 0.5
rabbit_retry_interval = 2
rabbit_retry_backoff = 3
rabbit_interval_max = 20
rabbit_transient_quorum_queue = true
rabbit_login_method = %s
heartbeat_timeout_threshold = 9
ssl = true
ssl_ca_file = /ca.pem
ssl_cert_file = /cert.pem
ssl_enforce_hostname_verification = false
`
	for _, method := range []string{"PLAIN", "AMQPLAIN", "EXTERNAL"} {
		if err := os.WriteFile(file, []byte(strings.Replace(text, "%s", method, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, err := config.Load(config.Sources{Inputs: config.Files(file)})
		if err != nil {
			t.Fatal(err)
		}
		o := BusOptions(cfg, zerolog.Nop())
		if !o.Shuffle || o.ReconnectDelay != time.Second/2 || o.RetryInterval != 2*time.Second ||
			o.RetryBackoff != 3*time.Second || o.RetryMax != 20*time.Second || !o.TransientQuorum ||
			o.LoginMethod != method || o.Heartbeat != 9*time.Second || o.ControlExchange != "cinder" || len(o.Brokers) != 2 {
			t.Errorf("the options are %+v", o)
		}
		if want := (publisher.TLS{CAFile: "/ca.pem", CertFile: "/cert.pem", KeyFile: "/cert.pem", AnyName: true}); *o.TLS != want {
			t.Errorf("the options for TLS are %+v", *o.TLS)
		}
		if _, err := publisher.New(o); err != nil {
			t.Errorf("config accepts what publisher refuses: %v", err)
		}
	}
}
