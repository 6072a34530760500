package publisher

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// createFailed is an error notification of the scheduler of Cinder 29.0.0, with ids
// of a project and a user as Keystone makes them.
func createFailed(t testing.TB) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", "cinder-create-failed.json"))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func TestFailedCreateOfCinderIsDecoded(t *testing.T) {
	f, err := decodeFailure(createFailed(t))
	if err != nil {
		t.Fatal(err)
	}
	if f.Operation != CreateVolume || f.VolumeID != "c7cb6f1e-99fd-4f99-9329-cc239a4f5f42" || f.Exception != "NoValidBackend" || f.Attempts {
		t.Errorf("got %+v", f)
	}
	if f.id != "62e4f0c1-10f4-425a-977f-c83f73b4c157" {
		t.Errorf("the id is %q", f.id)
	}
	if f.Size != 100 || f.Type != "gold" || !reflect.DeepEqual(f.Zones, []string{"dc1"}) || f.QoS != nil {
		t.Errorf("got %+v", f)
	}
	if want := `{"total_volumes": "<= 800", "volume_backend_name": "pure_performance"}`; string(f.ExtraSpecs) != want {
		t.Errorf("extra specs %s", f.ExtraSpecs)
	}
	if status, _ := f.Properties["status"].Str(); status != "creating" {
		t.Errorf("properties %v", f.Properties)
	}
	if want := []string{"9a0bec70000000000000000000000009", "5e1f00d0000000000000000000000005"}; !reflect.DeepEqual(f.Private, want) {
		t.Errorf("private ids %q", f.Private)
	}
}

func TestDecodeFailure(t *testing.T) {
	const spec = `{"volume_id":"v","volume_type":{"name":"t","extra_specs":{"a":"b"}},"volume_properties":{"size":1,"availability_zone":"z"}}`
	create := func(spec string) string {
		return `{"event_type":"scheduler.create_volume","payload":{"volume_id":null,"reason":"NoValidBackend('Exceeded max scheduling attempts 3 for volume v')","request_spec":` + spec + `}}`
	}
	for name, c := range map[string]struct {
		body, fault string
		want        Failure
	}{
		"another event":         {body: `{"event_type":"volume.create.error","payload":{}}`, fault: "not a failed operation"},
		"a group":               {body: `{"event_type":"scheduler.create_group","payload":{}}`, fault: "not a failed operation"},
		"no JSON":               {body: `{`, fault: "read received envelope"},
		"no payload":            {body: `{"event_type":"scheduler.create_volume"}`, fault: "read notification scheduler.create_volume"},
		"no size":               {body: create(`{"volume_properties":{"size":null}}`), fault: "it has no size"},
		"a negative size":       {body: create(`{"volume_properties":{"size":-4}}`), fault: "it has no size"},
		"properties of no kind": {body: create(`{"volume_properties":[1]}`), fault: "its volume_properties"},
		"a type of no kind":     {body: create(`{"volume_type":[1]}`), fault: "its volume type"},
		"too large":             {body: strings.Repeat(" ", maxBody+1), fault: "more than one of a scheduler has"},
		"the zone of the volume": {
			body: create(spec),
			want: Failure{Operation: CreateVolume, VolumeID: "v", Exception: "NoValidBackend", Attempts: true, Size: 1, Type: "t", ExtraSpecs: json.RawMessage(`{"a":"b"}`), Zones: []string{"z"}},
		},
		"a type of pairs": {
			body: create(`{"volume_id":"v","volume_type":[["name","t"],["extra_specs",{"a":"b"}]],"volume_properties":{"size":1},"availability_zones":["x","y"]}`),
			want: Failure{Operation: CreateVolume, VolumeID: "v", Exception: "NoValidBackend", Attempts: true, Size: 1, Type: "t", ExtraSpecs: json.RawMessage(`{"a":"b"}`), Zones: []string{"x", "y"}},
		},
		"no type, bare NaN": {
			body: envelope(create(`{"volume_id":"v","volume_type":null,"other":NaN,"volume_properties":{"size":1}}`)),
			want: Failure{Operation: CreateVolume, VolumeID: "v", Exception: "NoValidBackend", Attempts: true, Size: 1},
		},
		"a retype": {
			body: `{"event_type":"scheduler.retype","payload":{"volume_id":"v","reason":"NoValidBackend: /etc(","request_spec":{}}}`,
			want: Failure{Operation: "retype", VolumeID: "v"},
		},
		"hostile texts": {
			body: `{"event_type":"scheduler.extend_volume","payload":{"volume_id":"\u001b[2Jv\nFORGED","reason":7,"request_spec":{"volume_type":{"name":"` + strings.Repeat("x", 9000) + `"}}}}`,
			want: Failure{Operation: "extend_volume", VolumeID: `\x1b[2Jv FORGED`, Type: strings.Repeat("x", maxTypeName-1) + "…"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := decodeFailure([]byte(c.body))
			if c.fault != "" {
				if err == nil || !strings.Contains(err.Error(), c.fault) {
					t.Errorf("the error is %v, want %s", err, c.fault)
				}
				return
			}
			got.Properties = nil
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v, %v, want %+v", got, err, c.want)
			}
		})
	}
}

// FuzzDecodeFailure: no message makes the decoder fail, or a text unprintable.
func FuzzDecodeFailure(f *testing.F) {
	f.Add(createFailed(f))
	f.Add([]byte(`{"event_type":"scheduler.create_volume","payload":{"request_spec":{"volume_type":[["name","t"],["extra_specs",null]],"volume_properties":{"size":1e3,"qos_specs":{"a":NaN}},"availability_zones":[1,"\u202e"]}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := decodeFailure(body)
		if err != nil {
			if !reflect.DeepEqual(got, Failure{}) {
				t.Errorf("%v with %+v", err, got)
			}
			return
		}
		if errors.Is(err, errOtherNotification) || got.Operation == CreateVolume && got.Size < 1 {
			t.Errorf("got %+v", got)
		}
		for _, text := range append([]string{got.VolumeID, got.Exception, got.Type}, got.Zones...) {
			if short(text, maxTypeName) != text {
				t.Errorf("not printable, or too long: %q", text)
			}
		}
	})
}
