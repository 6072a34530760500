package recording

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"regexp"
	"slices"
	"strings"
)

// Scrubber replaces texts that could identify the owner of an array, the same
// text by the same replacement. It is used by one goroutine at a time.
type Scrubber struct {
	known        vocabulary
	key          []byte
	replacements map[string]string
	counts       map[string]int
}

// NewScrubber makes a random key, so that the replacements of two recordings
// cannot be matched.
func NewScrubber() *Scrubber {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return &Scrubber{known: newVocabulary(), key: key, replacements: map[string]string{}, counts: map[string]int{}}
}

// Name returns the replacement of an array's name.
func (s *Scrubber) Name(name string) string { return s.numbered("array", name) }

// Address returns the replacement of a host name or IP address.
func (s *Scrubber) Address(address string) string {
	if address == "" {
		return ""
	}
	if known, ok := s.replacements["address "+address]; ok {
		return known
	}
	n := s.next("address")
	replacement := fmt.Sprintf("192.0.2.%d", n) // RFC 5737
	if ip := net.ParseIP(address); ip != nil && ip.To4() == nil {
		replacement = fmt.Sprintf("2001:db8::%x", n) // RFC 3849
	}
	s.replacements["address "+address] = replacement
	return replacement
}

// Response returns the body of a response with its texts replaced. path is the
// endpoint, such as arrays/space.
func (s *Scrubber) Response(path string, body json.RawMessage) (json.RawMessage, error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, fmt.Errorf("scrub %s: %w", path, err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("scrub %s: text after the JSON value", path)
	}
	out, err := json.MarshalIndent(s.value(path, "", v), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("scrub %s: %w", path, err)
	}
	return append(out, '\n'), nil
}

func (s *Scrubber) value(path, field string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		return s.object(path, v)
	case []any:
		for i := range v {
			v[i] = s.value(path, field, v[i])
		}
	case string:
		return s.text(path, field, v)
	case json.Number:
		if !s.known.hasNumber(field, v) {
			return nil
		}
	}
	return v
}

// object replaces the names of fields that are not the API's. They are replaced
// in sorted order, so that the result is always the same.
func (s *Scrubber) object(path string, object map[string]any) map[string]any {
	out := make(map[string]any, len(object))
	for _, key := range slices.Sorted(maps.Keys(object)) {
		name := key
		if !s.known.hasKey(key) {
			name = s.numbered("field", key)
		}
		out[name] = s.value(path, name, object[key])
	}
	return out
}

// Versions keeps texts that have the form of a version of the API.
func (s *Scrubber) Versions(offered []string) []string {
	return slices.DeleteFunc(slices.Clone(offered), func(v string) bool { return !s.known.version.MatchString(v) })
}

var uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

func (s *Scrubber) text(path, field, text string) string {
	switch {
	case text == "":
		return ""
	case s.known.hasText(path, field, text):
		return text
	case field == "name":
		return s.Name(text)
	case uuid.MatchString(text):
		return s.id(text)
	case isAddress(field, text):
		return s.Address(text)
	}
	return s.numbered("scrubbed", text)
}

func isAddress(field, text string) bool {
	return net.ParseIP(text) != nil || strings.Contains(field, "address") || strings.HasSuffix(field, "_servers")
}

// id makes a UUID from another one; without the key it cannot be reversed.
func (s *Scrubber) id(text string) string {
	mac := hmac.New(sha256.New, s.key)
	_, _ = io.WriteString(mac, strings.ToLower(text))
	hex := fmt.Sprintf("%x", mac.Sum(nil))
	return fmt.Sprintf("%s-%s-4%s-8%s-%s", hex[:8], hex[8:12], hex[13:16], hex[17:20], hex[20:32])
}

func (s *Scrubber) numbered(kind, text string) string {
	key := kind + " " + strings.ToLower(text) // names are the same in any case
	if known, ok := s.replacements[key]; ok {
		return known
	}
	s.replacements[key] = fmt.Sprintf("%s-%02d", kind, s.next(kind))
	return s.replacements[key]
}

func (s *Scrubber) next(kind string) int {
	s.counts[kind]++
	return s.counts[kind]
}

// keyWords are the words of the API's field names. The name of a field with other
// words could contain that of a customer.
const keyWords = `
	access action active actual address addresses algorithm all allocated array arrays as at average avg banner base
	blocks bytes cache cached capacity category closed clusters code component compression config connected
	connection connections console continuation controller controllers count counts created current data dedup
	default delay depth description destroyed direction disabled duration effective efficiency egress elected enabled
	encryption end endpoint endpoints eradication error errors expected expiration failed failover feature features
	file flagged footprint free frozen group has hit host hosts id idle in ingress installed is issue item items key
	keys kind knowledge lag last latency level license limit link local lock logical login management manual max mean
	mediator member members message metadata min mirrored mode model module more name names network non not notified
	ntp number of offline on online op operation operations ops order os other others parent parity partner path
	paths peak per percent percentage performance period physical pod pods point policy pool portal power pre
	preferences present previous priority progress promotion protection provisioned provisioning qos queue quota rate
	ratio raw read reads received recovery reduction refused remaining remote remotes removed replicated replication
	requested reserved resource rest retention role running san saturation scheduled scheduling scsi sec secondary
	secure sent servers service services session severity shared shelf since size slot snapshot snapshots source
	space speed start started state states status storage subscription subscriptions summary symmetric system target
	temperature term thin threshold throttle throughput tier time timeout timezone to token total transfer
	transferred transport type types unique unit units unreachable up update updated uptime url usec used user users
	utilization value values version versions virtual volume volumes window workload write writes zone`

// identityWords are words in the names of fields whose numbers could identify a
// person.
const identityWords = `address addresses banner host id key login member name names number portal session token user users`

func words(list string) map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(list) {
		set[word] = true
	}
	return set
}

// vocabulary is the values and field names that the API itself defines.
type vocabulary struct {
	words, identity map[string]bool
	texts           map[string]*regexp.Regexp // by field
	controller      *regexp.Regexp            // names of controllers
	number, version *regexp.Regexp
}

func newVocabulary() vocabulary {
	exactly := func(pattern string) *regexp.Regexp { return regexp.MustCompile(`^(?:` + pattern + `)$`) }
	return vocabulary{
		words: words(keyWords), identity: words(identityWords),
		texts: map[string]*regexp.Regexp{
			"os":             exactly(`Purity(//(FA|FB))?`),
			"version":        exactly(`\d{1,2}\.\d{1,2}\.\d{1,3}`),
			"model":          exactly(`(FA|CBS)-[A-Za-z]{0,2}\d{1,3}(R\d|r\d)?`),
			"module_version": exactly(`FA-\d{1,2}\.\d{1,2}`),
			"mode":           exactly(`primary|secondary|active|standby|offline|unknown|not present`),
			"status": exactly(`ready|not ready|updating|unknown|not present|online|offline|healthy|unhealthy|degraded|` +
				`connected|connecting|partially connected|partially_connected|disconnected|unbalanced|incomplete|inactive|` +
				`resyncing|suspended|replicating|baselining|paused|idle|quiescing|quiesced`),
			"severity":                  exactly(`info|warning|critical|hidden`),
			"state":                     exactly(`open|closing|closed`),
			"category":                  exactly(`array|hardware|software`),
			"mediator":                  exactly(`purestorage`),
			"mediator_status":           exactly(`online|unreachable|flummoxed|unknown`),
			"direction":                 exactly(`inbound|outbound`),
			"promotion_status":          exactly(`promoted|demoted|promoting`),
			"requested_promotion_state": exactly(`promoted|demoted`),
			"type":                      exactly(`array_controller|shelf_controller|(a?sync)-replication|array|unknown`),
			"service":                   exactly(`Evergreen//(One|Flex|Forever|Foundation)|FlashArray|FlashBlade|Cloud Block Store|Portworx`),
			"resource_type":             exactly(`(remote-)?(arrays|pods|volumes|hosts)|network-access-policies`),
			"replication_transport":     exactly(`ip|fc|eth`),
			"encryption":                exactly(`encrypted|unencrypted`),
			"encryption_mode":           exactly(`none|encrypted|unencrypted`),
			"algorithm":                 exactly(`AES-\d{3}(-[A-Z]{3})?`),
			"manual_eradication":        exactly(`(all-|partially-)?(enabled|disabled)`),
		},
		controller: exactly(`(CT|CH|SC)\d{1,2}(\.SC\d)?`),
		number:     exactly(`-?\d{1,20}(\.\d{1,20})?([eE][+-]?\d{1,2})?`),
		version:    exactly(`\d\.(\d{1,2}|X)`),
	}
}

// hasText reports whether a text is a value that the API defines.
func (v vocabulary) hasText(path, field, text string) bool {
	if field == "name" {
		return path == "controllers" && v.controller.MatchString(text)
	}
	pattern := v.texts[field]
	return pattern != nil && pattern.MatchString(text)
}

// hasKey reports whether the name of a field has words of the API only.
func (v vocabulary) hasKey(key string) bool {
	for part := range strings.SplitSeq(strings.TrimPrefix(key, "_"), "_") {
		if !v.words[part] {
			return false
		}
	}
	return true
}

// hasNumber reports whether a number is a measurement.
func (v vocabulary) hasNumber(field string, n json.Number) bool {
	if !v.hasKey(field) || !v.number.MatchString(n.String()) {
		return false
	}
	for part := range strings.SplitSeq(field, "_") {
		if v.identity[part] {
			return false
		}
	}
	return true
}
