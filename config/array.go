package config

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/poolcast/poolcast/collector/capability/format"
)

// Address is the address of an array's management interface.
type Address struct {
	Host string // name or IP address, without brackets
	Port int    // 0: the default port
}

// String writes the address as the authority of a URL: 10.21.0.11,
// array:8443, [2001:db8::7].
func (a Address) String() string {
	host := a.Host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if a.Port == 0 {
		return host
	}
	return host + ":" + strconv.Itoa(a.Port)
}

// isHostRune reports whether a character may be part of a host name. The client of
// the array refuses others too, but cannot name the line.
func isHostRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' || r == '_' || r > 0x7f
}

// parseAddress reads host, host:port, [v6], [v6]:port and a bare v6.
func parseAddress(text string) (Address, error) {
	if strings.Contains(text, "://") {
		return Address{}, errors.New("is a URL; write the host and port only")
	}
	bare := text
	if inner, ok := strings.CutPrefix(text, "["); ok {
		bare, _ = strings.CutSuffix(inner, "]")
	}
	if ip, err := netip.ParseAddr(bare); err == nil && strings.HasPrefix(text, "[") == strings.HasSuffix(text, "]") {
		return Address{Host: ip.String()}, nil
	}
	host, port := text, ""
	if strings.Contains(text, ":") {
		var err error
		if host, port, err = net.SplitHostPort(text); err != nil {
			return Address{}, errors.New("is not host or host:port")
		}
	}
	_, err := netip.ParseAddr(host)
	if err != nil && (host == "" || strings.ContainsFunc(host, func(r rune) bool { return !isHostRune(r) })) {
		return Address{}, errors.New("is not a host name or an IP address")
	}
	a := Address{Host: host}
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return Address{}, errors.New("has a port that is not between 1 and 65535")
		}
		a.Port = int(n)
	}
	return a, nil
}

// Credential is the source of the array's API token: exactly one of the three. A
// file or a command replaces pure_api_token, which cinder-volume still needs in
// the same section.
type Credential struct {
	Token   Secret
	File    string
	Command []string // program and arguments
}

func (s scope) address() Address {
	text := s.text("san_ip")
	if text.bad {
		return Address{}
	}
	if text.v == "" {
		s.missing("san_ip", "Write san_ip = the address of the array's management interface.")
		return Address{}
	}
	a, err := parseAddress(text.v)
	if err != nil {
		s.refuse(s.catalog[SectionBackend]["san_ip"], text.where, s.written("san_ip"), err)
	}
	if strings.Contains(a.Host, ":") && !strings.HasPrefix(text.v, "[") {
		s.record.warn(text.where, "is read as "+a.String(), "cannot connect without the brackets", "Write san_ip = "+a.String()+".")
	}
	return a
}

// written returns the text of an option as it is in the file, for a message.
func (s scope) written(name string) string {
	for _, section := range s.sectionsToRead() {
		if values := s.texts(s.catalog[s.table][name], section); len(values) > 0 {
			return values[len(values)-1].text
		}
	}
	return ""
}

// missing records that a required option is missing. If the section has an unknown
// option with a similar name, the hint names it.
func (s scope) missing(key, hint string) {
	for _, l := range s.layers {
		for _, other := range l.keys(s.name) {
			if _, known := s.catalog[SectionBackend][other]; !known && format.Nearest(other, []string{key}) != "" {
				hint = "Did you mean " + key + " instead of " + other + "?"
			}
		}
	}
	s.record.fault(s.subject(place{}, key), hint, errors.New("is missing"))
}

func (s scope) credential() Credential {
	token, file, command := s.secret("pure_api_token"), s.text("token_file"), s.command("token_command")
	const hint = "Write pure_api_token = the REST API token of the array's user, or token_file, or token_command."
	switch {
	case token.bad || file.bad || command.bad:
		return Credential{}
	case file.v != "" && len(command.v) > 0:
		s.record.fault(command.where, "Remove one of them.", errors.New("is set, and token_file too"))
		return Credential{}
	case file.v != "":
		return Credential{File: file.v}
	case len(command.v) > 0:
		return Credential{Command: command.v}
	case token.v.IsZero():
		s.missing("pure_api_token", hint)
	}
	if problem := tokenProblem(token.v.Reveal()); problem != "" {
		s.record.note(token.where, Warning{
			Message: problem + ", and the array will probably reject it", Cinder: "reads the same value",
			Hint: "Write the token alone: pure_api_token = TOKEN.", Serious: true,
		})
	}
	return Credential{Token: token.v}
}

// tokenProblem describes a token that is probably not written correctly, and is ""
// for any other. The description does not contain the token.
func tokenProblem(token string) string {
	switch {
	case token == "":
		return ""
	case strings.ContainsAny(token[:1], "{["):
		return "looks like JSON"
	case strings.ContainsAny(token[:1]+token[len(token)-1:], "\"'"):
		return "begins or ends with a quote"
	case strings.ContainsFunc(token, isSpace):
		return "contains more than one word"
	}
	return ""
}

func (s scope) verification() (verify bool, caPath string) {
	on, path := s.boolean("driver_ssl_cert_verify"), s.text("driver_ssl_cert_path")
	if path.v != "" && !on.v && !on.bad {
		s.record.warn(path.where,
			"has no effect because driver_ssl_cert_verify is false", "ignores it too", "")
	}
	return on.v, path.v
}

// Replication holds the replication partners of a backend, which the driver
// reports.
type Replication struct {
	Devices []ReplicationDevice
	// TriSync is whether pure_trisync_enabled takes effect: exactly two
	// devices, of different types, with different tokens (drivers/pure.py,
	// do_setup_trisync).
	TriSync bool
}

// ReplicationDevice is one replication_device.
type ReplicationDevice struct {
	BackendID string
	Address   Address
	Token     Secret
	Type      string // async or sync
}

func (s scope) replication() Replication {
	var r Replication
	var types []string // as written
	for _, dict := range s.dicts("replication_device") {
		if device, ok := s.replicationDevice(dict); ok {
			r.Devices = append(r.Devices, device)
			types = append(types, dict.v["type"])
		}
	}
	if on := s.boolean("pure_trisync_enabled"); on.v {
		r.TriSync = len(r.Devices) == 2 && cmp.Or(types[0], "async") != cmp.Or(types[1], "async") &&
			!r.Devices[0].Token.equal(r.Devices[1].Token)
		if !r.TriSync {
			s.record.warn(on.where,
				"has no effect without exactly two replication devices, one sync and one async, with different tokens",
				"logs an error and continues without it", "")
		}
	}
	return r
}

func (s scope) replicationDevice(dict value[map[string]string]) (ReplicationDevice, bool) {
	if dict.bad {
		return ReplicationDevice{}, false
	}
	at, ok := dict.where, true
	for _, key := range []string{"backend_id", "san_ip", "api_token"} {
		if dict.v[key] == "" {
			ok = false
			s.record.fault(at, "Write backend_id:…,san_ip:…,api_token:…; type, uniform, ssl_cert_verify and ssl_cert_path are optional.", fmt.Errorf("has no %s", key))
		}
	}
	for key := range dict.v {
		s.checkDeviceKey(at, key)
	}
	d := ReplicationDevice{BackendID: dict.v["backend_id"], Token: newSecret(dict.v["api_token"]), Type: dict.v["type"]}
	if d.Type != "sync" && d.Type != "async" {
		if d.Type != "" {
			s.record.warn(at, "has the unknown type "+shorten(d.Type)+", which is read as async", "does the same", "Write type:async or type:sync.")
		}
		d.Type = "async"
	}
	if !ok {
		return d, false
	}
	var err error
	if d.Address, err = parseAddress(dict.v["san_ip"]); err != nil {
		s.record.fault(at, "Write san_ip:host or san_ip:host:port.", fmt.Errorf("has a san_ip that %w", err))
	}
	return d, err == nil
}

// checkDeviceKey warns of an unknown name that is similar to one of the driver's.
func (s scope) checkDeviceKey(at subject, key string) {
	known := []string{"backend_id", "san_ip", "api_token", "type", "uniform", "ssl_cert_verify", "ssl_cert_path"}
	if hint := didYouMean(key, known, ""); hint != "" {
		s.record.warn(at, "has an unknown name, which is ignored", "ignores it too", hint)
	}
}
