package config

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// transportURL is a parsed transport_url.
type transportURL struct {
	brokers     []Broker
	virtualHost string
	query       map[string]string
	mixed       bool // some hosts have an account and some have none
	portless    bool // a host has a colon and no port after it
}

const (
	defaultPort    = 5672
	defaultAccount = "guest"
)

// parseTransportURL follows oslo_messaging/transport.py, TransportURL.parse,
// and urllib.parse behind it, then fills in what impl_rabbit.py and kombu do.
// Go's net/url cannot: it refuses several hosts. Errors repeat no part of the
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
		// The broker's answer would repeat it, and with it a password.
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
		u.portless = u.portless || strings.HasSuffix(part, ":")
		u.brokers = append(u.brokers, b)
	}
	u.mixed = with > 0 && with < len(u.brokers)
	if len(u.brokers) == 0 {
		u.brokers = []Broker{{Host: "localhost", Port: defaultPort, Username: defaultAccount, Password: NewSecret(defaultAccount)}}
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
	b = Broker{Username: unescape(username), Password: NewSecret(unescape(password)), Port: defaultPort}
	if b.Username == "" {
		b.Username = defaultAccount
	}
	if b.Password.IsZero() {
		b.Password = NewSecret(defaultAccount)
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

// unescape is urllib.parse.unquote: what is not %XX stands for itself, and
// bytes that are not UTF-8 become U+FFFD.
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
