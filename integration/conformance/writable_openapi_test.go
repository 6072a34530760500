//go:build conformance

package conformance

import (
	"net/http"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/flasharray/simulator"
	"github.com/poolcast/poolcast/integration/openapi"
)

// writableRequests are changes and the lists that show them, as the Cinder driver
// sends them: method, path, body.
var writableRequests = []string{
	`POST volumes?names=a {"provisioned":1073741824}`,
	`POST volume-snapshots?source_names=a {"suffix":"s"}`,
	`PATCH volumes?names=a {"provisioned":2147483648}`,
	`POST volumes?names=b {"source":{"name":"a.s"}}`,
	`POST volume-groups?names=v {"qos":{"iops_limit":1000,"bandwidth_limit":1048576}}`,
	`PUT volumes/tags/batch?resource_names=a [{"key":"k","value":"v","namespace":"n","copyable":false}]`,
	`GET volumes/tags?resource_names=a`,
	`POST hosts?names=h {"iqns":["iqn.x"]}`,
	`PATCH hosts?names=h {"personality":"esxi"}`,
	`POST connections?host_names=h&volume_names=a `,
	`GET connections`,
	`POST pods?names=p {}`,
	`GET container-default-protections?names=p`,
	`PATCH container-default-protections?names=p {"default_protections":[]}`,
	`POST pods/arrays?group_names=p&member_names=flasharray-r-02 `,
	`GET pods/arrays?group_names=p`,
	`GET pods?names=p`,
	`POST protection-groups?names=g `,
	`POST protection-groups/volumes?group_names=g&member_names=a `,
	`GET protection-groups/volumes?group_names=g`,
	`POST protection-groups/targets?group_names=g&member_names=flasharray-c-01 `,
	`GET protection-groups/targets?group_names=g`,
	`PATCH protection-groups?names=g {"replication_schedule":{"frequency":3600000}}`,
	`POST protection-group-snapshots?source_names=g {"suffix":"t"}`,
	`GET protection-group-snapshots`,
	`GET protection-group-snapshots/transfer`,
	`GET volume-groups`,
	`GET volume-snapshots?source_names=a`,
	`GET volumes?names=a,b`,
	`GET hosts?names=h`,
	`PATCH volume-snapshots?names=a.s {"destroyed":true}`,
	`DELETE volume-snapshots?names=a.s `,
	`DELETE connections?host_names=h&volume_names=a `,
	`DELETE hosts?names=h `,
	`DELETE protection-groups/volumes?group_names=g&member_names=a `,
	`PATCH protection-group-snapshots?names=g.t {"destroyed":true}`,
	`DELETE protection-group-snapshots?names=g.t `,
	`PATCH protection-groups?names=g {"destroyed":true}`,
	`DELETE protection-groups?names=g `,
	`DELETE pods/arrays?group_names=p&member_names=flasharray-r-02 `,
	`PATCH pods?names=p {"destroyed":true}`,
	`DELETE pods?names=p `,
	`PATCH volume-groups?names=v {"destroyed":true}`,
	`DELETE volume-groups?names=v `,
	`DELETE volumes/tags?resource_names=a `,
	`PATCH volumes?names=a {"destroyed":true}`,
	`DELETE volumes?names=a `,
	`PATCH volumes?names=b {"destroyed":true}`,
	`DELETE volumes?names=b `,
	`GET volumes`,
}

// TestWritableMatchesOpenAPI changes an array at every version that it offers and
// checks the responses as TestSimulatorMatchesOpenAPI does. Each change is undone,
// so each version finds the same array.
func TestWritableMatchesOpenAPI(t *testing.T) {
	dir := openAPIFolder(t)
	fixtures, err := simulator.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	var arrays []*simulator.Array
	var first simulator.Fixture
	for _, f := range fixtures {
		arrays = append(arrays, simulator.New(f, simulator.Options{Writable: true, PageMax: 50}))
		if f.Name == "flasharray-r-01" {
			first = f
		}
	}
	served := serveArrays(t, arrays)
	responses := 0
	for _, version := range versionsOf([]simulator.Fixture{first}) {
		spec := openAPIOf(t, dir, version)
		token := served.login(t, spec, first, version)
		for _, request := range writableRequests {
			responses += served.change(t, spec, first, version, token, request)
		}
	}
	t.Logf("%d responses were checked", responses)
}

// change sends one request, checks the response and returns 1, or 0 if the version
// does not have the endpoint.
func (s *simulatedArrays) change(t *testing.T, spec *openapi.Spec, f simulator.Fixture, version, token, request string) int {
	t.Helper()
	method, rest, _ := strings.Cut(request, " ")
	target, body, _ := strings.Cut(rest, " ")
	path, query, _ := strings.Cut("/api/"+version+"/"+target, "?")
	if !spec.Has(method, path) {
		return 0
	}
	status, text := s.sendBody(t, f, method, path+"?"+query, token, body)
	if status != http.StatusOK {
		t.Errorf("2.%s %s: status %d: %s", version, request, status, text)
		return 1
	}
	if method == http.MethodDelete {
		return 1
	}
	for _, fault := range spec.Faults(method, path, status, "application/json", text) {
		t.Errorf("%s: %s", request, fault)
	}
	return 1
}
