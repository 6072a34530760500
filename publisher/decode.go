package publisher

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// maxBody bounds what is decoded. A report of the Pure driver has 3 KiB; one
// with hundreds of pools, from another vendor's driver, stays below this too.
const maxBody = 1 << 20

// errNotReport is returned for what is on the exchange and none of our
// business.
var errNotReport = errors.New("not a capability report of a volume service")

// errBareNumber is why a report cannot be learnt although the scheduler reads
// it: Python writes NaN and Infinity, which JSON does not have.
var errBareNumber = errors.New("it holds a bare NaN or Infinity, which is not JSON")

// heard is a report as it came from the exchange.
type heard struct {
	host, cluster string
	id            string
	stamp         time.Time // zero if the sender gave none
	raw           json.RawMessage
	fault         error // why raw cannot be learnt, if known already
}

func (h heard) identity() string { return identity(h.host, h.cluster) }

// capabilities parses the dictionary. Only reports of our own backends are
// worth it.
func (h heard) capabilities() (capability.Set, error) {
	if h.fault != nil {
		return nil, h.fault
	}
	return capability.ParseSet(h.raw)
}

// marked reports, without parsing, whether the report may be an agent's.
func (h heard) marked() bool {
	return bytes.Contains(h.raw, []byte(`"`+capability.KeyMetricsAgent+`"`))
}

type call struct {
	Method   string `json:"method"`
	UniqueID string `json:"_unique_id"`
	Args     struct {
		Service      string          `json:"service_name"`
		Host         string          `json:"host"`
		Cluster      *string         `json:"cluster_name"`
		Timestamp    *string         `json:"timestamp"`
		Capabilities json.RawMessage `json:"capabilities"`
	} `json:"args"`
}

// decode reads the body of a message that was heard. It is liberal: the
// envelope may be missing, as oslo.messaging allows, and unknown fields are
// skipped.
func decode(body []byte) (heard, error) {
	if len(body) > maxBody {
		return heard{}, fmt.Errorf("read heard message: %d bytes are more than a report has", len(body))
	}
	inner, err := unwrap(body)
	if err != nil {
		return heard{}, err
	}
	var c call
	var fault error
	if err := json.Unmarshal(inner, &c); err != nil {
		plain, bare := withoutBareNumbers(inner)
		if !bare || json.Unmarshal(plain, &c) != nil {
			return heard{}, fmt.Errorf("read heard message: %w", err)
		}
		fault = errBareNumber
	}
	return c.report(fault)
}

func unwrap(body []byte) ([]byte, error) {
	var envelope struct {
		Version string  `json:"oslo.version"`
		Message *string `json:"oslo.message"`
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		return nil, fmt.Errorf("read heard envelope: %w", err)
	}
	if envelope.Message == nil {
		return body, nil
	}
	if !strings.HasPrefix(envelope.Version, "2.") {
		return nil, fmt.Errorf("read heard envelope: its version is %q, not 2", envelope.Version)
	}
	return []byte(*envelope.Message), nil
}

func (c call) report(fault error) (heard, error) {
	if c.Method != string(UpdateCapabilities) || c.Args.Service != "volume" || c.Args.Host == "" {
		return heard{}, errNotReport
	}
	h := heard{host: c.Args.Host, id: c.UniqueID, raw: c.Args.Capabilities, fault: fault}
	if c.Args.Cluster != nil {
		h.cluster = *c.Args.Cluster
	}
	if c.Args.Timestamp != nil && *c.Args.Timestamp != "" {
		stamp, err := time.Parse("2006-01-02T15:04:05", *c.Args.Timestamp)
		if err != nil && h.fault == nil {
			h.fault = errors.New("its timestamp has an unknown format")
		}
		h.stamp = stamp
	}
	return h, nil
}

// withoutBareNumbers replaces Python's NaN, Infinity and -Infinity by null
// wherever they stand outside a string, so that the rest can be read. It
// reports whether there were any.
func withoutBareNumbers(text []byte) ([]byte, bool) {
	out := make([]byte, 0, len(text))
	found, quoted := false, false
	for i := 0; i < len(text); {
		if !quoted {
			if n := bareNumber(text[i:]); n > 0 {
				out, found, i = append(out, "null"...), true, i+n
				continue
			}
		}
		switch {
		case text[i] == '"':
			quoted = !quoted
		case text[i] == '\\' && quoted && i+1 < len(text):
			out = append(out, text[i])
			i++
		}
		out = append(out, text[i])
		i++
	}
	return out, found
}

func bareNumber(text []byte) int {
	for _, word := range []string{"NaN", "Infinity", "-Infinity"} {
		if bytes.HasPrefix(text, []byte(word)) {
			return len(word)
		}
	}
	return 0
}
