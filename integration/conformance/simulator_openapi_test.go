//go:build conformance

package conformance

import (
	"crypto/tls"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/poolcast/poolcast/flasharray/simulator"
	"github.com/poolcast/poolcast/integration/openapi"
)

// TestSimulatorMatchesOpenAPI reads every endpoint of every fixture, and of three
// writable arrays, at every version that they offer, and checks the responses against the
// vendor's OpenAPI files. They are not part of this repository; get definitions/oas3.x of
// PureStorage-OpenConnect/swagger and point POOLCAST_OPENAPI_DIR at it.
func TestSimulatorMatchesOpenAPI(t *testing.T) {
	dir := openAPIFolder(t)
	fixtures, err := simulator.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	recorded := serveFixtures(t, fixtures)
	changed, all := serveChanged(t)
	responses := 0
	for _, version := range versionsOf(fixtures) {
		spec := openAPIOf(t, dir, version)
		for _, f := range fixtures {
			if slices.Contains(f.Versions, version) {
				responses += recorded.check(t, spec, f, version)
			}
		}
		for _, f := range all {
			if slices.Contains(f.Versions, version) {
				responses += changed.check(t, spec, f, version)
			}
		}
	}
	t.Logf("%d responses of %d fixtures and of %d writable arrays were checked", responses, len(fixtures), len(all))
}

// openAPIFolder is the folder with the vendor's files. The test is skipped without one.
func openAPIFolder(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("POOLCAST_OPENAPI_DIR")
	if dir == "" {
		t.Skip("not run: POOLCAST_OPENAPI_DIR does not name a folder with FA2.*.spec.yaml")
	}
	return dir
}

// openAPIOf is the vendor's file of a version.
func openAPIOf(t *testing.T, dir, version string) *openapi.Spec {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "FA"+version+".spec.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	spec, err := openapi.Parse(text, openapi.Options{OptionalAndNullable: true})
	if err != nil {
		t.Fatalf("FA%s: %v", version, err)
	}
	return spec
}

// serveChanged serves three writable arrays with volumes, snapshots, clones, hosts
// and connections, of which some are destroyed.
func serveChanged(t *testing.T) (*simulatedArrays, []simulator.Fixture) {
	t.Helper()
	var fixtures []simulator.Fixture
	var arrays []*simulator.Array
	for _, name := range []string{"flasharray-r-01", "flasharray-eg1-02", "flasharray-x-03"} {
		f, err := simulator.BuiltinNamed(name)
		if err != nil {
			t.Fatal(err)
		}
		if name == "flasharray-x-03" {
			f = f.Empty()
		}
		fixtures = append(fixtures, f)
		arrays = append(arrays, simulator.New(f, simulator.Options{Writable: true, PageMax: 50, Model: simulator.Model{Speed: 1e6}}))
	}
	served := serveArrays(t, arrays)
	for i, f := range fixtures {
		version := f.Versions[len(f.Versions)-1]
		token := served.login(t, nil, f, version)
		for _, request := range changesBefore {
			method, rest, _ := strings.Cut(request, " ")
			path, body, _ := strings.Cut(rest, " ")
			if status, text := served.sendBody(t, f, method, "/api/"+version+"/"+path, token, body); status != http.StatusOK {
				t.Fatalf("%s: %s: status %d: %s", f.Name, request, status, text)
			}
		}
		arrays[i].Disturb(simulator.Disturbance{Operations: 1000, Slow: 2})
	}
	return served, fixtures
}

// changesBefore are made before the lists of a writable array are read.
var changesBefore = []string{
	`POST volumes?names=a,b,c {"provisioned":1099511627776}`,
	`POST volume-snapshots?source_names=a,b {"suffix":"s"}`,
	`POST volumes?names=d {"source":{"name":"a.s"}}`,
	`POST volume-groups?names=v {}`,
	`POST volumes?names=v/e {"provisioned":1099511627776}`,
	`POST hosts?names=h {"iqns":["iqn.x"]}`,
	`POST connections?host_names=h&volume_names=a `,
	`POST protection-groups?names=g `,
	`POST protection-groups/volumes?group_names=g&member_names=a `,
	`POST protection-group-snapshots?source_names=g {"suffix":"t"}`,
	`PATCH volumes?names=c {"destroyed":true}`,
	`PATCH volume-snapshots?names=b.s {"destroyed":true}`,
}

// simulatedEndpoints are all endpoints, and the queries of each besides none.
var simulatedEndpoints = map[string][]string{
	"connections":                    {"limit=2"},
	"volume-groups":                  {"total_only=true"},
	"arrays":                         nil,
	"directories":                    {"destroyed=false"},
	"directories/performance":        {"total_only=true"},
	"drives":                         {"names=CH0.BAY0"},
	"hardware":                       {"filter=type='controller'"},
	"hosts/performance/balance":      nil,
	"network-interfaces/performance": {"total_only=true", "resolution=30000&start_time=%d&end_time=%d"},
	"pod-replica-links/lag":          {"limit=4&total_item_count=true"},
	"pod-replica-links/performance/replication": {"total_only=true"},
	"pods/performance/replication":              {"total_only=true", "resolution=30000&start_time=%d&end_time=%d"},
	"volume-groups/performance":                 {"total_only=true"},
	"arrays/space":                              {"resolution=300000&start_time=%d&end_time=%d"},
	"arrays/performance":                        {"resolution=30000&start_time=%d&end_time=%d&total_item_count=true"},
	"controllers":                               {"limit=20"},
	"volumes":                                   {"total_only=true", "destroyed=true", "limit=0&total_item_count=true"},
	"volumes/space":                             {"resolution=300000&start_time=%d&end_time=%d&destroyed=true&filter=name='*0*'"},
	"volumes/performance":                       {"total_only=true"},
	"volume-snapshots":                          {"limit=3&sort=created-"},
	"hosts":                                     {"filter=is_local"},
	"hosts/space":                               nil,
	"hosts/performance":                         nil,
	"protection-groups":                         {"destroyed=false"},
	"array-connections":                         nil,
	"pods":                                      {"total_only=true", "destroyed=false&filter=array_count%3E1&sort=name&limit=1&total_item_count=true"},
	"pods/space":                                nil,
	"pods/performance":                          nil,
	"alerts":                                    {"filter=state='open'", "filter=state='open'+and+severity='critical'&limit=0&total_item_count=true"},
	"network-interfaces":                        nil,
	"ports":                                     nil,
	"subscriptions":                             nil,
	"subscription-assets":                       nil,
}

// unrecordedEndpoints are lists that the fixtures do not have: empty, or settings.
const unrecordedEndpoints = `
active-directory admins admins/settings alert-watchers api-clients apps apps/nodes
array-connections/connection-key array-connections/path arrays/cloud-capacity certificates
directories/policies directory-exports directory-services directory-services/roles directory-snapshots
dns file-systems fleets fleets/members host-groups host-groups/hosts host-groups/performance
host-groups/protection-groups host-groups/tags hosts/tags kmip maintenance-windows
network-interfaces/neighbors offloads pod-replica-links pods/tags policies policies/nfs
policies/nfs/client-rules policies/password policies/quota policies/quota/rules policies/smb
policies/smb/client-rules policies/snapshot policies/snapshot/rules presets/workload
protection-groups/host-groups protection-groups/hosts protection-groups/tags realms realms/performance
realms/tags remote-volume-snapshots remote-volume-snapshots/transfer smi-s smtp-servers snmp-agents
snmp-managers sso/saml2/idps subnets support syslog-servers virtual-machine-snapshots virtual-machines
volume-groups/tags volume-groups/volumes volume-snapshots/tags workloads`

type simulatedArrays struct {
	client *http.Client
	server *simulator.Server
}

func serveFixtures(t *testing.T, fixtures []simulator.Fixture) *simulatedArrays {
	t.Helper()
	var arrays []*simulator.Array
	for _, f := range fixtures {
		arrays = append(arrays, simulator.New(f, simulator.Options{PageMax: 50}))
	}
	return serveArrays(t, arrays)
}

func serveArrays(t *testing.T, arrays []*simulator.Array) *simulatedArrays {
	t.Helper()
	server, err := simulator.Serve(arrays, simulator.ServeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: server.CertPool()}}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = server.Close()
	})
	return &simulatedArrays{&http.Client{Transport: transport}, server}
}

// check returns how many responses it has checked.
func (s *simulatedArrays) check(t *testing.T, spec *openapi.Spec, f simulator.Fixture, version string) int {
	t.Helper()
	token := s.login(t, spec, f, version)
	checked := 0
	endpoints := maps.Clone(simulatedEndpoints)
	for _, path := range strings.Fields(unrecordedEndpoints) {
		endpoints[path] = nil
	}
	for path, queries := range endpoints {
		full := "/api/" + version + "/" + path
		if !spec.Has(http.MethodGet, full) {
			if status, _ := s.send(t, f, "GET", full, token); status != http.StatusNotFound {
				t.Errorf("%s %s: status %d of an endpoint that %s does not have", f.Name, full, status, version)
			}
			continue
		}
		for _, q := range append([]string{""}, queries...) {
			if strings.Contains(q, "%d") {
				now := time.Now().UnixMilli()
				q = fmt.Sprintf(q, now-3_600_000, now)
			}
			s.checkOne(t, spec, f, full, q, token)
			checked++
		}
	}
	return checked
}

func (s *simulatedArrays) checkOne(t *testing.T, spec *openapi.Spec, f simulator.Fixture, path, query, token string) {
	t.Helper()
	status, body := s.send(t, f, "GET", path+"?"+strings.ReplaceAll(query, "'", "%27"), token)
	if status != http.StatusOK {
		t.Errorf("%s %s?%s: status %d: %s", f.Name, path, query, status, body)
		return
	}
	for _, fault := range spec.Faults(http.MethodGet, path, status, "application/json", body) {
		t.Errorf("%s ?%s: %s", f.Name, query, fault)
	}
}

func (s *simulatedArrays) login(t *testing.T, spec *openapi.Spec, f simulator.Fixture, version string) string {
	t.Helper()
	path := "/api/" + version + "/login"
	request := s.request(t, f, "POST", path)
	request.Header.Set("api-token", "any")
	response, err := s.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("log in to %s: %v", f.Name, err)
	}
	if spec == nil {
		return response.Header.Get("x-auth-token")
	}
	for _, fault := range spec.Faults(http.MethodPost, path, response.StatusCode, "application/json", body) {
		t.Errorf("%s: %s", f.Name, fault)
	}
	return response.Header.Get("x-auth-token")
}

func (s *simulatedArrays) request(t *testing.T, f simulator.Fixture, method, path string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "https://"+s.server.Addr(f.Name)+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (s *simulatedArrays) send(t *testing.T, f simulator.Fixture, method, path, token string) (int, []byte) {
	t.Helper()
	return s.sendBody(t, f, method, path, token, "")
}

func (s *simulatedArrays) sendBody(t *testing.T, f simulator.Fixture, method, path, token, body string) (int, []byte) {
	t.Helper()
	r := s.request(t, f, method, path)
	r.Body = io.NopCloser(strings.NewReader(body))
	r.Header.Set("x-auth-token", token)
	response, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, text
}

// versionsOf lists every 2.x version that any fixture offers.
func versionsOf(fixtures []simulator.Fixture) []string {
	var all []string
	for _, f := range fixtures {
		for _, v := range f.Versions {
			if strings.HasPrefix(v, "2.") && !slices.Contains(all, v) {
				all = append(all, v)
			}
		}
	}
	return all
}
