package config

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Bus is the message bus that cinder-volume and cinder-scheduler share.
type Bus struct {
	Brokers     []Broker // at least one, in the order of transport_url
	VirtualHost string   // never empty: / if the URL names none
	// Exchange is control_exchange, which scopes topic queues. A fanout
	// exchange is not named after it.
	Exchange string

	TLS         BusTLS
	LoginMethod string        // PLAIN, AMQPLAIN or EXTERNAL
	Heartbeat   time.Duration // 0: as the broker proposes
	Failover    string        // round-robin or shuffle
	Retry       Retry
	// TransientQuorum is rabbit_transient_quorum_queue.
	TransientQuorum bool
	// QuorumQueues is rabbit_quorum_queue.
	QuorumQueues  bool
	Notifications Notifications
}

// Broker is one host of transport_url, with the account that is valid there.
type Broker struct {
	Host     string // without brackets
	Port     int    // 5672 if the URL names none, TLS or not
	Username string // guest if the URL names none
	Password Secret
}

// BusTLS is how connections to the brokers are encrypted.
type BusTLS struct {
	Enabled  bool
	CAFile   string
	CertFile string
	KeyFile  string
	// VerifyHostname is whether the certificate must contain the broker's name.
	// oslo.messaging requires that only with a ssl_ca_file. The issuer is always
	// verified (amqp/transport.py, _wrap_socket_sni).
	VerifyHostname bool
}

// Retry holds the waiting times before connecting again.
type Retry struct {
	Delay    time.Duration // kombu_reconnect_delay: after a lost connection
	Interval time.Duration // rabbit_retry_interval: after a first failure
	Backoff  time.Duration // rabbit_retry_backoff: what each further one adds
	Max      time.Duration // rabbit_interval_max
}

func (r *reader) bus() Bus {
	def := r.scopeOf(sectionDefault)
	b := Bus{Exchange: def.text("control_exchange").v}
	def.transport(&b)
	s := r.scopeOf(sectionRabbit)
	b.TLS = s.busTLS()
	b.LoginMethod = s.text("rabbit_login_method").v
	b.Heartbeat = max(0, seconds(s.integer("heartbeat_timeout_threshold").v))
	b.Failover = s.text("kombu_failover_strategy").v
	b.Retry = Retry{
		Delay:    time.Duration(s.number("kombu_reconnect_delay").v * float64(time.Second)),
		Interval: seconds(s.integer("rabbit_retry_interval").v),
		Backoff:  seconds(s.integer("rabbit_retry_backoff").v),
		Max:      seconds(s.integer("rabbit_interval_max").v),
	}
	b.TransientQuorum = s.boolean("rabbit_transient_quorum_queue").v
	b.QuorumQueues = s.boolean("rabbit_quorum_queue").v
	return b
}

// seconds converts to a duration. Very large numbers are limited.
func seconds(n int) time.Duration {
	const most = int(1 << 31)
	return time.Duration(min(max(n, -most), most)) * time.Second
}

func (s scope) busTLS() BusTLS {
	t := BusTLS{
		Enabled:  s.boolean("ssl").v,
		CAFile:   s.text("ssl_ca_file").v,
		CertFile: s.text("ssl_cert_file").v,
		KeyFile:  s.text("ssl_key_file").v,
	}
	if t.KeyFile != "" && t.CertFile == "" {
		s.record.fault(s.text("ssl_key_file").where, "Write ssl_cert_file too, or remove ssl_key_file.",
			errors.New("is set without ssl_cert_file"))
	}
	t.VerifyHostname = t.Enabled && t.CAFile != "" && s.boolean("ssl_enforce_hostname_verification").v
	return t
}

// transport reads transport_url. Options in its query override
// [oslo_messaging_rabbit] (oslo_messaging/_drivers/common.py, ConfigOptsProxy).
func (s scope) transport(b *Bus) {
	raw := s.secret("transport_url")
	if raw.bad {
		return
	}
	at := raw.where
	const hint = "Write rabbit://user:password@host:port,…/virtual_host, with %2F for /, %40 for @ and so on in names and passwords."
	url, err := parseTransportURL(raw.v.Reveal())
	if err != nil {
		s.record.fault(at, hint, err)
		return
	}
	b.Brokers, b.VirtualHost = url.brokers, url.virtualHost
	if url.missingPort {
		s.record.warn(at, "has a host with a colon but no port after it, and port 5672 is used",
			"uses 5672 too, or refuses the URL with an older oslo.messaging", "Write host:5672.")
	}
	if !raw.set {
		s.warnLegacyBroker()
	}
	if url.mixedAccounts {
		s.record.warn(at, "has hosts without user and password, and the account guest is used there", "logs a warning and does the same", "")
	}
	overrides := map[string]rawValue{}
	for _, name := range slices.Sorted(maps.Keys(url.query)) {
		if _, known := s.catalog[sectionRabbit][name]; !known && !ignoredRabbitOptions()[name] {
			s.record.fault(at, didYouMean(name, s.catalog.names(sectionRabbit), "Remove it."), errors.New("has an option in its query that oslo.messaging does not have"))
			continue
		}
		overrides[name] = rawValue{text: url.query[name], at: raw.at, quoted: true, literal: true, secret: true}
	}
	s.overrides[sectionRabbit] = overrides
}

// warnLegacyBroker warns of the options that contained the broker's address before
// transport_url replaced them. oslo.messaging no longer reads them.
func (s scope) warnLegacyBroker() {
	for _, section := range []string{sectionRabbit, sectionDefault} {
		for _, name := range []string{"rabbit_hosts", "rabbit_host"} {
			values := s.find(&Option{Name: name}, section)
			if len(values) == 0 {
				continue
			}
			last := values[len(values)-1]
			s.record.note(subject{last.at, section, name}, Warning{
				Message: "is ignored, and without transport_url the broker is localhost:5672 with the account guest",
				Cinder:  "ignores it too", Serious: true,
				Hint: "Write transport_url = rabbit://USER:PASSWORD@" + legacyHosts(last.text) + "/VIRTUAL_HOST into [DEFAULT].",
			})
			return
		}
	}
}

// legacyHosts joins hosts in the form that transport_url needs.
func legacyHosts(text string) string {
	hosts := parseList(text)
	for i, host := range hosts {
		if strings.ContainsAny(host, "@/ \t\"'") || host == "" {
			return "HOST:5672"
		}
		if !strings.Contains(host, ":") {
			hosts[i] += ":5672"
		}
	}
	return strings.Join(hosts, ",USER:PASSWORD@")
}

// transportURL is a parsed transport_url.
type transportURL struct {
	brokers       []Broker
	virtualHost   string
	query         map[string]string
	mixedAccounts bool // some hosts have an account and some have none
	missingPort   bool // a host has a colon and no port after it
}

const (
	defaultPort    = 5672
	defaultAccount = "guest"
)

// parseTransportURL follows oslo_messaging/transport.py, TransportURL.parse,
// and the urllib.parse that it uses, and then adds the defaults of impl_rabbit.py
// and kombu. Go's net/url refuses several hosts. Errors contain no part of the
// URL.
func parseTransportURL(text string) (transportURL, error) {
	u := transportURL{query: map[string]string{}}
	text = strings.TrimLeftFunc(text, func(r rune) bool { return r <= ' ' })
	text = strings.NewReplacer("\t", "", "\r", "", "\n", "").Replace(text)
	scheme, rest, ok := strings.Cut(text, ":")
	if !ok || scheme == "" {
		return u, errors.New("has no scheme")
	}
	switch strings.ToLower(scheme) {
	case "rabbit", "kombu+rabbit", "kombu+amqp":
	default:
		return u, errors.New("is not for RabbitMQ")
	}
	rest, _, _ = strings.Cut(rest, "#")
	rest, query, _ := strings.Cut(rest, "?")
	hosts, path := "", rest
	if after, found := strings.CutPrefix(rest, "//"); found {
		hosts, path = after, ""
		if i := strings.IndexByte(after, '/'); i >= 0 {
			hosts, path = after[:i], after[i:]
		}
	}
	if strings.Contains(path, "://") || strings.Contains(path, "@") {
		// The broker would repeat the virtual host in an error, with the password.
		return u, errors.New("has another account after the virtual host; join hosts as user:password@host1,user:password@host2/virtual_host, and write @ in a virtual host as %40")
	}
	u.virtualHost = unescape(strings.TrimPrefix(path, "/"))
	if u.virtualHost == "" || !strings.HasPrefix(path, "/") {
		u.virtualHost = "/"
	}
	u.parseQuery(query)
	return u, u.parseHosts(hosts)
}

func (u *transportURL) parseHosts(text string) error {
	with := 0
	for part := range strings.SplitSeq(text, ",") {
		if part == "" {
			continue
		}
		b, account, err := parseBroker(part)
		if err != nil {
			return err
		}
		if account {
			with++
		}
		u.missingPort = u.missingPort || strings.HasSuffix(part, ":")
		u.brokers = append(u.brokers, b)
	}
	u.mixedAccounts = with > 0 && with < len(u.brokers)
	if len(u.brokers) == 0 {
		u.brokers = []Broker{{Host: "localhost", Port: defaultPort, Username: defaultAccount, Password: newSecret(defaultAccount)}}
	}
	return nil
}

// parseBroker reads user:password@host:port.
func parseBroker(text string) (b Broker, account bool, err error) {
	host, username, password := text, "", ""
	if i := strings.LastIndexByte(text, '@'); i >= 0 {
		host = text[i+1:]
		username, password, account = strings.Cut(text[:i], ":")
	}
	b = Broker{Username: unescape(username), Password: newSecret(unescape(password)), Port: defaultPort}
	if b.Username == "" {
		b.Username = defaultAccount
	}
	if b.Password.IsZero() {
		b.Password = newSecret(defaultAccount)
	}
	port := ""
	switch inner, ok := strings.CutPrefix(host, "["); {
	case ok:
		var closed bool
		if b.Host, port, closed = strings.Cut(inner, "]"); !closed {
			return b, account, errors.New("has a [ that is not closed")
		}
		port = strings.TrimPrefix(port, ":")
	case strings.Count(host, ":") == 1:
		b.Host, port, _ = strings.Cut(host, ":")
	default:
		b.Host = host // an IPv6 address without brackets has no port
	}
	if port != "" {
		if b.Port, err = strconv.Atoi(port); err != nil || b.Port < 1 || b.Port > 65535 {
			return b, account, errors.New("has a port that is not a number from 1 to 65535")
		}
	}
	if b.Host == "" {
		return b, account, errors.New("has an account without a host")
	}
	return b, account, nil
}

// parseQuery is urllib.parse.parse_qs: empty values are dropped, repeated ones
// are joined by commas.
func (u *transportURL) parseQuery(text string) {
	for pair := range strings.SplitSeq(text, "&") {
		name, value, _ := strings.Cut(strings.ReplaceAll(pair, "+", " "), "=")
		name, value = unescape(name), unescape(value)
		if value == "" {
			continue
		}
		if before, taken := u.query[name]; taken {
			value = before + "," + value
		}
		u.query[name] = value
	}
}

// unescape is urllib.parse.unquote: text that is not %XX is kept, and bytes that
// are not UTF-8 become U+FFFD.
func unescape(text string) string {
	if !strings.Contains(text, "%") {
		return text
	}
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+2 < len(text) {
			if b, err := strconv.ParseUint(text[i+1:i+3], 16, 8); err == nil {
				out = append(out, byte(b))
				i += 2
				continue
			}
		}
		out = append(out, text[i])
	}
	if utf8.Valid(out) {
		return string(out)
	}
	return strings.ToValidUTF8(string(out), "\ufffd")
}
