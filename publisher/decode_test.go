package publisher

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

func TestDecodeCinderMessages(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "cinder-update.json"))
	if err != nil {
		t.Fatal(err)
	}
	h, err := decode(data)
	if err != nil {
		t.Fatal(err)
	}
	set, err := h.capabilities()
	if err != nil || !set.Equal(sample(t)) {
		t.Errorf("parsed %v (%v)", set, err)
	}
	if h.identity() != "ctl1@fa1" || h.stamp.IsZero() || h.fromAgent() || len(h.id) != 32 {
		t.Errorf("decoded %+v", h)
	}
	if free, _ := set[capability.KeyFreeCapacity].MarshalJSON(); string(free) != "51200.125" {
		t.Errorf("digits changed to %s", free)
	}
}

func TestDecodePythonNumbers(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "cinder-infinity.json"))
	if err != nil {
		t.Fatal(err)
	}
	h, err := decode(data)
	if err != nil || h.identity() != "ctl1@fa1" {
		t.Fatalf("the sender is unknown: %+v, %v", h, err)
	}
	if _, err := h.capabilities(); !errors.Is(err, errBareNumber) {
		t.Errorf("a report with a bare Infinity was parsed: %v", err)
	}
}

func TestDecode(t *testing.T) {
	call := func(args string) string {
		return `{"method":"update_service_capabilities","_unique_id":"u","args":` + args + `}`
	}
	for name, tt := range map[string]struct {
		body string
		want string // identity, or part of the error
	}{
		"host":              {envelope(call(`{"service_name":"volume","host":"h@b","capabilities":{}}`)), "h@b"},
		"cluster wins":      {envelope(call(`{"service_name":"volume","host":"h@b","cluster_name":"c@b","capabilities":{}}`)), "c@b"},
		"no envelope":       {call(`{"service_name":"volume","host":"h@b","capabilities":{}}`), "h@b"},
		"later envelope":    {strings.Replace(envelope(call(`{"service_name":"volume","host":"h@b"}`)), "2.0", "2.7", 1), "h@b"},
		"another version":   {strings.Replace(envelope(`{}`), "2.0", "3.0", 1), "version"},
		"another method":    {envelope(`{"method":"create_volume","args":{}}`), "not a capability report"},
		"a backup service":  {envelope(call(`{"service_name":"backup","host":"h@b"}`)), "not a capability report"},
		"no host":           {envelope(call(`{"service_name":"volume"}`)), "not a capability report"},
		"not JSON":          {`{`, "read received envelope"},
		"not JSON inside":   {envelope(`{"method":`), "read received message"},
		"wrong types":       {envelope(call(`{"service_name":7}`)), "read received message"},
		"far too large":     {envelope(strings.Repeat(" ", maxBody)), "more than a report has"},
		"NaN in a string":   {envelope(call(`{"service_name":"volume","host":"NaN@\"b","capabilities":{"a":NaN}}`)), `NaN@"b`},
		"minus Infinity":    {envelope(call(`{"service_name":"volume","host":"h@b","capabilities":{"a":[-Infinity,1]}}`)), "h@b"},
		"Infinity, no JSON": {envelope(call(`{"service_name":Infinity,,}`)), "read received message"},
	} {
		t.Run(name, func(t *testing.T) {
			h, err := decode([]byte(tt.body))
			got := h.identity()
			if err != nil {
				got = err.Error()
			}
			if !strings.Contains(got, tt.want) {
				t.Errorf("decoded %q, want %q", got, tt.want)
			}
		})
	}
}

func TestDecodeTimestamps(t *testing.T) {
	for in, want := range map[string]string{
		`"2026-01-02T03:04:05.000006"`:  "2026-01-02T03:04:05.000006Z",
		`"2026-01-02T03:04:05"`:         "2026-01-02T03:04:05Z",
		`"2026-01-02T03:04:05.0000069"`: "2026-01-02T03:04:05.000006Z",
		`null`:                          "fault",
		`""`:                            "fault",
		`"yesterday"`:                   "fault",
		`"9999-12-31T23:59:59.999999"`:  "fault", // an overlay would be in the year 10000
	} {
		h, err := decode([]byte(envelope(`{"method":"update_service_capabilities","args":{"service_name":"volume","host":"h","timestamp":` + in + `,"capabilities":{}}}`)))
		if err != nil {
			t.Fatal(err)
		}
		got := h.stamp.Format(time.RFC3339Nano)
		if h.fault != nil {
			got = "fault"
		}
		if got != want {
			t.Errorf("%s was read as %s, want %s", in, got, want)
		}
	}
}

func envelope(inner string) string {
	text, _ := json.Marshal(inner)
	return `{"oslo.version":"2.0","oslo.message":` + string(text) + `}`
}

// FuzzDecode checks that nothing from the bus can break the listener, and that
// what was parsed can be sent again.
func FuzzDecode(f *testing.F) {
	for _, file := range []string{"cinder-update.json", "cinder-infinity.json", "update-cluster.golden.json"} {
		data, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(envelope(`{"method":"update_service_capabilities","args":{"service_name":"volume","host":"h@b","capabilities":{"a":NaN,"b":"\u00e9\\\"NaN"}}}`)))
	f.Fuzz(func(t *testing.T, body []byte) {
		h, err := decode(body)
		if err != nil {
			return
		}
		set, err := h.capabilities()
		if err != nil {
			return
		}
		again, err := encode(message{method: updateCapabilities, host: h.host, cluster: h.cluster, set: set, stamp: h.stamp, id: h.id})
		if err != nil {
			t.Fatalf("what was parsed of %q cannot be sent: %v", body, err)
		}
		if len(again) > maxBody {
			return
		}
		back, err := decode(again)
		if err != nil {
			t.Fatalf("what was sent cannot be read: %v", err)
		}
		if got, err := back.capabilities(); err != nil || !got.Equal(set) {
			t.Fatalf("%v came back as %v (%v)", set, got, err)
		}
	})
}
