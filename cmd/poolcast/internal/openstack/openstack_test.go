package openstack_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/openstack"
	"github.com/poolcast/poolcast/collector/capability"
)

func TestConnectWithoutClouds(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "clouds.yaml")
	t.Setenv("OS_CLIENT_CONFIG_FILE", missing)
	_, err := openstack.Connect(t.Context(), "prod")
	checkError(t, err, "there is none at "+missing, "OS_CLIENT_CONFIG_FILE")
	if !errors.Is(err, openstack.ErrSetup) {
		t.Error("it is no error of the set-up")
	}
	t.Setenv("OS_CLIENT_CONFIG_FILE", "")
	t.Setenv("XDG_CONFIG_HOME", "/nonexistent")
	t.Chdir(t.TempDir())
	_, err = openstack.Connect(t.Context(), "prod")
	checkError(t, err, "clouds.yaml, /nonexistent/openstack/clouds.yaml, /etc/openstack/clouds.yaml")
}

func TestConnectWithBadClouds(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"another cloud", "clouds:\n  b: {}\n  a: {}\n", `it has no cloud "prod"; it has a, b`},
		{"no clouds", "prod: {}\n", "it has no clouds"},
		{"not YAML", "clouds: [\n", "line 1"},
		{"no auth_url", "clouds:\n  prod: {auth: {username: a}}\n", "cloud prod has no auth_url"},
		{"a secret in place of a section", "clouds:\n  prod: {auth: not-to-be-printed}\n", "cannot unmarshal !!str a value"},
		{"no authority file", "clouds:\n  prod: {cacert: /nonexistent/ca.pem, auth: {auth_url: 'https://k/v3'}}\n", "/nonexistent/ca.pem"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := writeClouds(t, c.text)
			_, err := openstack.Connect(t.Context(), "prod")
			checkError(t, err, path, c.want)
			if !errors.Is(err, openstack.ErrSetup) {
				t.Error("it is no error of the set-up")
			}
		})
	}
}

func TestConnectWithoutToken(t *testing.T) {
	f := startFake(t, nil)
	f.auth = http.StatusUnauthorized
	_, err := openstack.Connect(t.Context(), "prod")
	checkError(t, err, "cloud prod", "401 Unauthorized", "application credential has expired", "clouds.yaml")
	f.auth = http.StatusServiceUnavailable
	_, err = openstack.Connect(t.Context(), "prod")
	checkError(t, err, "503 Service Unavailable")
	f.auth, f.kind = http.StatusCreated, "compute"
	_, err = openstack.Connect(t.Context(), "prod")
	checkError(t, err, "no public endpoint of a service of type block-storage or volumev3", "region_name")
	f.Close()
	_, err = openstack.Connect(t.Context(), "prod")
	checkError(t, err, "connection refused")
}

func TestConnectWithUnknownAuthority(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it logs that the client refuses it
	server.StartTLS()
	t.Cleanup(server.Close)
	f := &fake{Server: server}
	f.write(t, f.URL+"/v3")
	_, err := openstack.Connect(t.Context(), "prod")
	checkError(t, err, "unknown authority", "cacert")
}

// TestConnectWithoutResponse has a Keystone that accepts connections and is silent.
func TestConnectWithoutResponse(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	new(fake).write(t, "http://"+listener.Addr().String()+"/v3")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = openstack.Connect(ctx, "prod")
	checkError(t, err, "no response in time")
}

const types = `{"volume_types": [
	{"id": "1", "name": "gold", "extra_specs": {"volume_backend_name": "x", "capabilities:total_volumes": "<= 800"}, "qos_specs_id": "q1"},
	{"id": "2", "name": "plain", "extra_specs": {}, "qos_specs_id": null}]}`

const qos = `{"qos_specs": [{"id": "q1", "name": "fast", "consumer": "back-end", "specs": {"maxIOPS": "5000"}}]}`

func TestVolumeTypes(t *testing.T) {
	f := startFake(t, map[string]any{"types": types, "qos-specs": qos})
	got, err := f.connect(t).VolumeTypes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].Name != "gold" || got[1].QoS != nil {
		t.Fatalf("got %+v", got)
	}
	if specs := got[0].ExtraSpecs; len(specs) != 2 || specs[0].Key != "volume_backend_name" || *specs[1].Value != "<= 800" {
		t.Errorf("the extra specs are %+v", specs)
	}
	if v := got[0].QoS["maxIOPS"]; !v.Equal(capability.OfString("5000")) {
		t.Errorf("maxIOPS is %v", v)
	}
}

// TestVolumeTypesWithoutRights has a type whose extra specs are shown in part, as to a
// user without the role admin.
func TestVolumeTypesWithoutRights(t *testing.T) {
	f := startFake(t, map[string]any{"types": `{"volume_types": [{"id": "1", "name": "gold", "extra_specs": {}}]}`})
	_, err := f.connect(t).VolumeTypes(t.Context())
	checkError(t, err, "only a part of their extra specs", "role admin", "access_types_qos_specs_id")
	for status, want := range map[int]string{
		http.StatusUnauthorized:       "access rules of the application credential",
		http.StatusForbidden:          "checks the rule volume_extension:type_get_all",
		http.StatusFound:              "302 Found",
		http.StatusServiceUnavailable: "503 Service Unavailable",
	} {
		f.responses["types"] = status
		_, err = f.connect(t).VolumeTypes(t.Context())
		checkError(t, err, "request the volume types from cloud prod", want)
	}
	f.responses["types"] = `{"volume_types": "none"}`
	if _, err = f.connect(t).VolumeTypes(t.Context()); err == nil {
		t.Error("a list that is a text is accepted")
	}
}

func TestVolumeTypesInPages(t *testing.T) {
	page := `{"volume_types": [{"id": "1", "name": "gold", "extra_specs": {}, "qos_specs_id": null}], "volume_type_links": [{"rel": "next"}]}`
	f := startFake(t, map[string]any{"types": page})
	_, err := f.connect(t).VolumeTypes(t.Context())
	checkError(t, err, "more than 100 pages") // it never ends
	if marker := f.requests[len(f.requests)-1].URL.Query().Get("marker"); marker != "1" {
		t.Errorf("the marker of the next page is %q", marker)
	}
}

const services = `{"services": [
	{"host": "c@on", "zone": "dc1", "status": "enabled", "state": "up", "disabled_reason": null, "frozen": false, "cluster": null},
	{"host": "c@off", "zone": "dc2", "status": "disabled", "state": "up", "disabled_reason": "firmware update", "cluster": null},
	{"host": "c@down", "zone": "dc1", "status": "enabled", "state": "down", "frozen": true},
	{"host": "a@gold", "zone": "dc1", "status": "enabled", "state": "down", "cluster": "k@gold"},
	{"host": "b@gold", "zone": "dc1", "status": "enabled", "state": "up", "cluster": "k@gold"}]}`

func TestCatalogue(t *testing.T) {
	f := startFake(t, map[string]any{
		"types": types, "types/default": `{"volume_type": {"name": "plain"}}`, "qos-specs": qos, "os-services": services,
		"os-availability-zone": `{"availabilityZoneInfo": [{"zoneName": "dc1", "zoneState": {"available": true}}, {"zoneName": "dc2", "zoneState": {"available": false}}]}`,
	})
	c, err := f.connect(t).Catalogue(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(c.Zones, " "); got != "dc1 dc2" || c.Default != "plain" {
		t.Errorf("the zones are %s, the default type is %s", got, c.Default)
	}
	for identity, want := range map[string]string{
		"c@on":   "",
		"k@gold": "",
		"c@off":  "the service is disabled (firmware update)",
		"c@down": "the service is frozen, and the service is down: it sends no heartbeat",
	} {
		service, ok := openstack.ServiceOf(c.Services, identity)
		if got := service.Excluded(); !ok || got != want {
			t.Errorf("%s is %q, want %q", identity, got, want)
		}
	}
	if _, ok := openstack.ServiceOf(c.Services, "c@other"); ok {
		t.Error("c@other has a service")
	}
}

// TestCatalogueWithoutRights may not list services: they are not known, and a note says
// so.
func TestCatalogueWithoutRights(t *testing.T) {
	f := startFake(t, map[string]any{
		"types": types, "qos-specs": qos, "os-services": http.StatusForbidden, "os-availability-zone": http.StatusUnauthorized,
	})
	c, err := f.connect(t).Catalogue(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Notes) != 2 || !strings.Contains(c.Notes[1], "volume_extension:services:index") {
		t.Errorf("the notes are %q", c.Notes)
	}
	if c.Services != nil || c.Zones != nil {
		t.Errorf("got services %+v and zones %q", c.Services, c.Zones)
	}
	f.responses["os-services"] = http.StatusInternalServerError
	_, err = f.connect(t).Catalogue(t.Context())
	checkError(t, err, "request the services from cloud prod", "500")
}

const volume = `{"id": "v1", "name": "db-17", "status": "error", "size": 100, "volume_type": "gold", "availability_zone": null,
	"os-vol-host-attr:host": null, "os-vol-tenant-attr:tenant_id": "` + project + `", "created_at": "2026-11-25T20:51:17.000000", "source_volid": null}`

func TestVolumeByIDAndName(t *testing.T) {
	f := startFake(t, map[string]any{
		"volumes/v1":     `{"volume": ` + volume + `}`,
		"volumes/detail": `{"volumes": [` + volume + `]}`,
	})
	c := f.connect(t)
	for _, name := range []string{"v1", "db-17"} {
		v, err := c.Volume(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if v.ID != "v1" || v.Size != 100 || v.Type != "gold" || v.Host != "" || v.CreatedAt.Year() != 2026 {
			t.Errorf("%s is %+v", name, v)
		}
	}
	_, err := c.Host(t.Context(), "v1")
	checkError(t, err, "volume v1 is on no backend: its status is error")
}

func TestMessagesAndQuotaOfVolume(t *testing.T) {
	f := startFake(t, map[string]any{
		"volumes/v1": `{"volume": ` + volume + `}`,
		"messages": `{"messages": [{"user_message": "schedule allocate volume:Could not find any available weighted backend.",
			"created_at": "2026-11-25T20:51:17.000000", "request_id": "req-1"}]}`,
		"os-quota-sets/" + project: `{"quota_set": {"id": "` + project + `", "volumes": {"limit": 10, "in_use": 9, "reserved": 1},
			"gigabytes": {"limit": -1, "in_use": 900, "reserved": 0}, "gigabytes_gold": {"limit": 150, "in_use": 50}, "per_volume_gigabytes": {"limit": 99, "in_use": 7}}}`,
	})
	c := f.connect(t)
	v, err := c.Volume(t.Context(), "v1")
	if err != nil {
		t.Fatal(err)
	}
	messages, err := c.Messages(t.Context(), v)
	if err != nil || len(messages) != 1 || messages[0].Request != "req-1" {
		t.Errorf("the messages are %+v: %v", messages, err)
	}
	quota, err := c.Quota(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	want := []openstack.Usage{
		{Resource: "gigabytes", Used: 900, Limit: -1, Request: 100},
		{Resource: "gigabytes_gold", Used: 50, Limit: 150, Request: 100},
		{Resource: "per_volume_gigabytes", Limit: 99, Request: 100},
		{Resource: "volumes", Used: 10, Limit: 10, Request: 1},
	}
	if diff := cmp.Diff(want, quota); diff != "" {
		t.Errorf("the quota differs (-want +got):\n%s", diff)
	}
	for i, exceeded := range []bool{false, false, true, true} {
		if quota[i].Exceeded() != exceeded {
			t.Errorf("exceeded of %s is %t", quota[i].Resource, !exceeded)
		}
	}
}

func TestVolumeThatIsNotFound(t *testing.T) {
	f := startFake(t, map[string]any{"volumes/detail": `{"volumes": []}`})
	c := f.connect(t)
	_, err := c.Volume(t.Context(), "../types")
	checkError(t, err, `no volume with the id or the name "../types"`)
	f.responses["volumes/detail"] = `{"volumes": [{"id": "a", "status": "error"}, {"id": "b", "status": "available"}]}`
	_, err = c.Volume(t.Context(), "db")
	checkError(t, err, "several volumes", "a (error), b (available)")
	_, err = c.Volume(t.Context(), "")
	checkError(t, err, "want the id or the name")
	f.responses["volumes/db"] = http.StatusForbidden
	_, err = c.Volume(t.Context(), "db")
	checkError(t, err, "GET /v3/PROJECT/volumes/ID: 403", "volume:get")
}

func TestVolumesAndTheirSnapshots(t *testing.T) {
	f := startFake(t, map[string]any{
		"volumes/detail": `{"volumes": [
			{"id": "a", "name": "first", "status": "in-use", "size": 3, "volume_type": "gold", "os-vol-host-attr:host": "c@x#p", "group_id": "g", "encrypted": true,
			 "attachments": [{"server_id": "s"}, {"server_id": null}], "os-vol-mig-status-attr:name_id": "b"},
			{"id": "c", "name": null, "status": "available", "size": 1, "consistencygroup_id": null, "group_id": null}]}`,
		"snapshots": `{"snapshots": [{"id": "1", "volume_id": "a"}, {"id": "2", "volume_id": "a"}]}`,
	})
	client := f.connect(t)
	volumes, err := client.Volumes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []openstack.Volume{
		{ID: "a", Name: "first", Status: "in-use", Size: 3, Type: "gold", Host: "c@x#p", Grouped: true, Encrypted: true, Servers: []string{"s", ""}, NameID: "b"},
		{ID: "c", Status: "available", Size: 1, NameID: "c"},
	}
	if diff := cmp.Diff(want, volumes, cmp.AllowUnexported(openstack.Volume{})); diff != "" {
		t.Errorf("volumes (-want +got):\n%s", diff)
	}
	with, err := client.VolumesWithSnapshots(t.Context())
	if err != nil || len(with) != 1 || !with["a"] {
		t.Errorf("%v, %v", with, err)
	}
	for _, r := range f.requests[1:] {
		if r.URL.Query().Get("all_tenants") != "1" {
			t.Errorf("%s is about one project", r.URL)
		}
	}
	f.responses["volumes/detail"], f.responses["snapshots"] = http.StatusForbidden, http.StatusForbidden
	_, err = client.Volumes(t.Context())
	checkError(t, err, "the volumes of all projects", "volume:get_all")
	_, err = client.VolumesWithSnapshots(t.Context())
	checkError(t, err, "volume:get_all_snapshots")
}
