package publisher

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/rs/zerolog"
)

// Options say where the schedulers are and how to reach them. Only Brokers is
// required.
type Options struct {
	// Brokers are the hosts of transport_url. They are tried in an order that is
	// drawn once.
	Brokers []Broker
	// Shuffle is kombu_failover_strategy = shuffle: the order is drawn again each
	// time.
	Shuffle bool
	// VirtualHost is that of transport_url; "" means "/".
	VirtualHost string
	// LoginMethod is rabbit_login_method: AMQPLAIN (the default), PLAIN or
	// EXTERNAL. The other of the first two is tried if the broker does not
	// support it.
	LoginMethod string
	// TLS encrypts the connection; nil means plain TCP.
	TLS *TLS
	// Heartbeat is heartbeat_timeout_threshold; zero leaves it to the broker.
	Heartbeat time.Duration
	// ReconnectDelay is kombu_reconnect_delay: the wait after a connection or a
	// consumer was lost.
	ReconnectDelay time.Duration
	// RetryInterval, RetryBackoff and RetryMax are rabbit_retry_interval,
	// rabbit_retry_backoff and rabbit_interval_max: the wait after a failed
	// attempt at all brokers, what each further failure adds, and the longest
	// wait. A RetryInterval of zero means 1 s; a RetryMax of zero, or of more
	// than that, means 30 s.
	RetryInterval, RetryBackoff, RetryMax time.Duration
	// TransientQuorum is rabbit_transient_quorum_queue: if the schedulers have
	// no stream, listen with a quorum queue, as they do.
	TransientQuorum bool
	// ControlExchange is control_exchange, used by Notify alone; "" means
	// openstack.
	ControlExchange string

	// Interval is the time between two updates of a backend; zero means 60 s. A
	// peer from which nothing was received for three of them counts as gone, and
	// a report that is ten of them old is not published any more.
	Interval time.Duration
	// StatsInterval is the time between two reports of cinder-volume; zero means
	// 60 s.
	StatsInterval time.Duration
	// Standalone switches the overlay off: complete reports are published, but
	// not where a cinder-volume reports the backend too.
	Standalone bool
	// ListenOnly receives reports and never publishes.
	ListenOnly bool
	// KeepOverlays leaves the overlays with the schedulers at a stop, until
	// cinder-volume's next reports.
	KeepOverlays bool
	// FixProvisionedCapacity adds provisioned_capacity_gb to a base that lacks
	// it, as those of drivers before mid-2026 do. It changes what fits.
	FixProvisionedCapacity bool
	// Notify also sends notify_service_capabilities, RPC 3.5, to one scheduler.
	Notify bool
	// ConfirmTimeout bounds each wait for the broker; zero means 10 s.
	ConfirmTimeout time.Duration

	// Logger gets one line for each change of state. The zero Logger is silent.
	Logger zerolog.Logger
}

// Broker is one host of transport_url with its own credentials.
type Broker struct {
	Host     string // name or address, IPv6 without brackets
	Port     int    // zero means 5672
	User     string
	Password Secret // nil means none
}

// Secret is a text that must not be printed. config.Secret is one.
type Secret interface {
	// Reveal returns the text.
	Reveal() string
}

// address is how a broker is named in logs and errors: never with its user or
// password.
func (b Broker) address() string {
	port := b.Port
	if port == 0 {
		port = 5672
	}
	return net.JoinHostPort(b.Host, strconv.Itoa(port))
}

func (b Broker) password() string {
	if b.Password == nil {
		return ""
	}
	return b.Password.Reveal()
}

// TLS holds the ssl_* options of [oslo_messaging_rabbit]. The files are read
// again for every connection, so a renewed certificate needs no restart.
type TLS struct {
	CAFile   string // ssl_ca_file; "" means the system's authorities
	CertFile string // ssl_cert_file, this client's own
	KeyFile  string // ssl_key_file; "" means that the key is in CertFile
	// AnyName accepts a certificate that is valid for another host name, as
	// oslo.messaging does with ssl_enforce_hostname_verification = false, and
	// without ssl_ca_file.
	AnyName bool
}

// maxRetry bounds the wait between two attempts, with any options.
const maxRetry = 30 * time.Second

func (o Options) withDefaults() Options {
	o.VirtualHost = cmp.Or(o.VirtualHost, "/")
	o.LoginMethod = cmp.Or(o.LoginMethod, "AMQPLAIN")
	o.ControlExchange = cmp.Or(o.ControlExchange, "openstack")
	o.Interval = cmp.Or(o.Interval, time.Minute)
	o.StatsInterval = cmp.Or(o.StatsInterval, time.Minute)
	o.RetryInterval = cmp.Or(o.RetryInterval, time.Second)
	o.RetryMax = cmp.Or(o.RetryMax, maxRetry)
	o.ConfirmTimeout = cmp.Or(o.ConfirmTimeout, 10*time.Second)
	return o
}

func (o Options) validate() error {
	var faults []error
	if len(o.Brokers) == 0 {
		faults = append(faults, errors.New("no broker: set transport_url"))
	}
	for _, b := range o.Brokers {
		if b.Host == "" || b.Port < 0 || b.Port > 65535 {
			faults = append(faults, fmt.Errorf("broker %q has no host or an impossible port", b.address()))
		}
	}
	switch o.LoginMethod {
	case "AMQPLAIN", "PLAIN", "EXTERNAL":
	default:
		faults = append(faults, fmt.Errorf("rabbit_login_method is %q: use AMQPLAIN, PLAIN or EXTERNAL", o.LoginMethod))
	}
	if o.Standalone && o.ListenOnly {
		faults = append(faults, errors.New("standalone and listen-only leave nothing to do"))
	}
	return errors.Join(faults...)
}
