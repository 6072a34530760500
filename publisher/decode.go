package publisher

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// maxBody bounds what is decoded. A report of the Pure driver has 3 KiB; one
// with hundreds of pools, from another vendor's driver, stays below this too.
const maxBody = 1 << 20

// errNotReport is returned for other messages on the exchange.
var errNotReport = errors.New("not a capability report of a volume service")

// errBareNumber is why a report cannot be parsed although the scheduler parses
// it: Python writes NaN and Infinity, which JSON does not have.
var errBareNumber = errors.New("it holds a bare NaN or Infinity, which is not JSON")

// incoming is a report as it came from the exchange.
type incoming struct {
	host, cluster string
	id            string
	stamp         time.Time // zero if the sender gave none
	raw           json.RawMessage
	fault         error // why raw cannot be parsed, if known already
}

func (h incoming) identity() string { return identity(h.host, h.cluster) }

// capabilities parses the dictionary, which is done for this agent's backends
// only.
func (h incoming) capabilities() (capability.Set, error) {
	if h.fault != nil {
		return nil, h.fault
	}
	return capability.ParseSet(h.raw)
}

// fromAgent reports whether an agent sent the report, and not cinder-volume.
func (h incoming) fromAgent() bool { return fromAgent(h.id) }

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

// decode reads the body of a received message. The envelope may be missing, as
// oslo.messaging allows, and unknown fields are skipped.
func decode(body []byte) (incoming, error) {
	if len(body) > maxBody {
		return incoming{}, fmt.Errorf("read received message: it has %d bytes, which is more than a report has", len(body))
	}
	inner, err := unwrap(body)
	if err != nil {
		return incoming{}, err
	}
	var c call
	var fault error
	if err := json.Unmarshal(inner, &c); err != nil {
		plain, bare := withoutBareNumbers(inner)
		if !bare || json.Unmarshal(plain, &c) != nil {
			return incoming{}, fmt.Errorf("read received message: %w", err)
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
		return nil, fmt.Errorf("read received envelope: %w", err)
	}
	if envelope.Message == nil {
		return body, nil
	}
	if !strings.HasPrefix(envelope.Version, "2.") {
		return nil, fmt.Errorf("read received envelope: its version is %q, not 2", envelope.Version)
	}
	return []byte(*envelope.Message), nil
}

func (c call) report(fault error) (incoming, error) {
	if c.Method != string(updateCapabilities) || c.Args.Service != "volume" || c.Args.Host == "" {
		return incoming{}, errNotReport
	}
	h := incoming{host: c.Args.Host, id: c.UniqueID, raw: c.Args.Capabilities, fault: fault}
	if c.Args.Cluster != nil {
		h.cluster = *c.Args.Cluster
	}
	stamp, err := parseStamp(c.Args.Timestamp)
	if err != nil && h.fault == nil {
		h.fault = err
	}
	h.stamp = stamp
	return h, nil
}

// parseStamp reads a timestamp. Without one the scheduler stamps a report by its
// own clock (cinder/scheduler/host_manager.py, update_service_capabilities), so
// no overlay can be stamped right after it.
func parseStamp(text *string) (time.Time, error) {
	if text == nil || *text == "" {
		return time.Time{}, errors.New("it has no timestamp")
	}
	stamp, err := time.Parse("2006-01-02T15:04:05", *text)
	if err != nil || stamp.Year() >= 9999 {
		return time.Time{}, errors.New("its timestamp has an unknown format")
	}
	return stamp.Truncate(time.Microsecond), nil
}

// bareNumbers matches Python's NaN, Infinity and -Infinity, and strings, which may
// contain the same words.
var bareNumbers = regexp.MustCompile(`(?s)"(?:[^"\\]|\\.)*"|NaN|-?Infinity`)

// withoutBareNumbers replaces bare numbers by null, so that the rest can be parsed.
// It reports whether there were any.
func withoutBareNumbers(text []byte) (without []byte, found bool) {
	without = bareNumbers.ReplaceAllFunc(text, func(match []byte) []byte {
		if match[0] == '"' {
			return match
		}
		found = true
		return []byte("null")
	})
	return without, found
}
