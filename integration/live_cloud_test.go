//go:build integration

package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/poolcast/poolcast/integration/internal/keystone"
	"github.com/poolcast/poolcast/integration/internal/scheduler"
	"github.com/poolcast/poolcast/integration/process"
)

// accessRules are those that OPERATIONS.md recommends.
func accessRules(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../OPERATIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)```json\n(\\[.*?volumev3.*?\\])\n```").FindSubmatch(text)
	if found == nil {
		t.Fatal("OPERATIONS.md has no access rules")
	}
	return string(found[1])
}

// liveCloud is a Keystone, a cinder-api and a scheduler with the reports of three
// arrays.
type liveCloud struct {
	t        *testing.T
	env      *environment
	identity *keystone.Keystone
	operator keystone.User // without the role admin
	api      string
	clouds   string // path of clouds.yaml
	http     http.Client
}

// startLiveCloud starts the services one after the other: each takes some seconds of
// CPU.
func startLiveCloud(t *testing.T) *liveCloud {
	t.Helper()
	broker, transport := joinBroker(t)
	c := &liveCloud{t: t, env: newEnvironment(t, threeArrays(t), transport), http: http.Client{Timeout: 90 * time.Second}}
	cinder := scheduler.Start(t, scheduler.Options{Broker: broker, Backends: c.env.backends(), Settings: []string{"storage_availability_zone = " + zone}})
	c.identity = keystone.Start(t)
	api := cinder.StartAPIWithKeystone(c.identity.URL, c.identity.Admin.Password)
	c.identity.AddService("volumev3", "cinderv3", api.URL+"/%(project_id)s")
	c.api = api.URL
	c.operator = c.identity.AddUser("operator", "member")
	reports := c.env.dryRun()
	for _, r := range reports {
		cinder.Report(scheduler.Report{Host: r.Host, Capabilities: r.Capabilities})
	}
	process.Await(t, time.Minute, "the scheduler to have three reports", func() error {
		pools, err := cinder.Pools()
		if err == nil && len(pools) != len(reports) {
			err = fmt.Errorf("it has %d", len(pools))
		}
		return err
	})
	return c
}

// call sends a request to cinder-api and returns the status.
func (c *liveCloud) call(user keystone.User, method, path string, fields object, into any) int {
	c.t.Helper()
	var body []byte
	var err error
	if fields != nil {
		if body, err = json.Marshal(fields); err != nil {
			c.t.Fatal(err)
		}
	}
	request, err := http.NewRequest(method, c.api+"/"+user.Project+"/"+path, bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Auth-Token", user.Token)
	response, err := c.http.Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	if into != nil && response.StatusCode < 300 {
		err = json.Unmarshal(text, into)
	}
	if err != nil || response.StatusCode >= 500 {
		c.t.Fatalf("%s %s at cinder-api: %s %s: %v", method, path, response.Status, text, err)
	}
	return response.StatusCode
}

// must sends a request as admin that must succeed.
func (c *liveCloud) must(method, path string, fields object, into any) {
	c.t.Helper()
	if status := c.call(c.identity.Admin, method, path, fields, into); status >= 300 {
		c.t.Fatalf("%s %s at cinder-api: status %d", method, path, status)
	}
}

type object = map[string]any

// addType adds a volume type, with QoS specs if there are any.
func (c *liveCloud) addType(name string, specs, qos object) {
	c.t.Helper()
	var created struct {
		Type struct{ ID string } `json:"volume_type"`
		QoS  struct{ ID string } `json:"qos_specs"`
	}
	c.must(http.MethodPost, "types", object{"volume_type": object{"name": name, "extra_specs": specs}}, &created)
	if qos == nil {
		return
	}
	qos["name"] = "of " + name
	c.must(http.MethodPost, "qos-specs", object{"qos_specs": qos}, &created)
	c.must(http.MethodGet, "qos-specs/"+created.QoS.ID+"/associate?vol_type_id="+created.Type.ID, nil, nil)
}

// create creates a volume, waits until the scheduler has decided on it and returns its
// id.
func (c *liveCloud) create(user keystone.User, name, kind string, size int) (id string) {
	c.t.Helper()
	var got struct {
		Volume struct {
			ID, Status string
			Host       *string `json:"os-vol-host-attr:host"`
		}
	}
	fields := object{"volume": object{"name": name, "size": size, "volume_type": kind}}
	if status := c.call(user, http.MethodPost, "volumes", fields, &got); status != http.StatusAccepted {
		c.t.Fatalf("create volume %s: status %d", name, status)
	}
	id = got.Volume.ID
	process.Await(c.t, time.Minute, "a decision on volume "+name, func() error {
		c.must(http.MethodGet, "volumes/"+id, nil, &got)
		if got.Volume.Status == "creating" && got.Volume.Host == nil {
			return fmt.Errorf("it is creating")
		}
		return nil
	})
	return id
}

// writeClouds writes clouds.yaml with an application credential that may only read, and
// a user without rights.
func (c *liveCloud) writeClouds() {
	c.t.Helper()
	dir := c.t.TempDir()
	rules := filepath.Join(dir, "poolcast-rules.json")
	c.env.write(rules, accessRules(c.t))
	var credential struct{ ID, Secret string }
	out := c.identity.Client("application", "credential", "create", "poolcast", "--role", "admin", "--access-rules", rules, "--format", "json")
	if err := json.Unmarshal([]byte(out), &credential); err != nil {
		c.t.Fatalf("read the application credential: %v", err)
	}
	c.clouds = filepath.Join(dir, "clouds.yaml")
	c.env.write(c.clouds, fmt.Sprintf(`clouds:
  prod:
    auth_type: v3applicationcredential
    auth:
      auth_url: %[1]s
      application_credential_id: %[2]s
      application_credential_secret: %[3]s
    region_name: RegionOne
  operator:
    auth:
      auth_url: %[1]s
      username: operator
      password: %[4]s
      project_name: operator
      user_domain_id: default
      project_domain_id: default
`, c.identity.URL, credential.ID, credential.Secret, c.operator.Password))
}

// run runs a command that ends with a code, and returns its output and its errors.
func (c *liveCloud) run(code int, args ...string) (out, errs string) {
	c.t.Helper()
	cmd := c.env.command(args...)
	cmd.Env = append(cmd.Environ(), "OS_CLIENT_CONFIG_FILE="+c.clouds)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run() // the code is checked
	text := stdout.String() + stderr.String()
	checkSecrets(c.t, text)
	if got := cmd.ProcessState.ExitCode(); got != code {
		c.t.Errorf("poolcast %s ended with code %d, want %d:\n%s", strings.Join(args, " "), got, code, text)
	}
	data, err := os.ReadFile(c.clouds)
	if err != nil {
		c.t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if (strings.HasSuffix(key, "secret") || key == "password") && strings.Contains(text, value) {
			c.t.Errorf("poolcast %s printed %s of clouds.yaml", strings.Join(args, " "), key)
		}
	}
	if strings.Contains(text, c.identity.Admin.Project) || strings.Contains(text, c.operator.Project) {
		c.t.Errorf("poolcast %s printed the id of a project:\n%s", strings.Join(args, " "), text)
	}
	return stdout.String(), stderr.String()
}

// TestLiveCloud asks a Keystone and a cinder-api with --os-cloud about types, a disabled
// service, and volumes that were created: one without a backend, one that is placed, one
// for which the quota is used up.
func TestLiveCloud(t *testing.T) {
	t.Parallel()
	c := startLiveCloud(t)
	c.writeClouds()
	c.addType("gold", object{"volume_backend_name": pool, "capabilities:total_volumes": "<= 500"}, nil)
	c.addType("silver", object{"volume_backend_name": pool, "capabilities:total_volumes": "<= 600"}, object{"consumer": "back-end", "maxIOPS": "5000"})
	c.must(http.MethodPut, "os-services/disable-log-reason", object{
		"binary": "cinder-volume", "host": "ctl1@flasharray_x_03", "disabled_reason": "firmware update",
	}, nil)
	t.Run("why without a backend", c.testWhyWithoutBackend)
	t.Run("place", c.testPlace)
	t.Run("check", c.testCheck)
	t.Run("why of a volume on a backend", c.testWhyPlaced)
	t.Run("why with a used up quota", c.testWhyQuota)
	t.Run("plan that no array takes", c.testPlanRefused)
	t.Run("without rights", c.testWithoutRights)
	t.Run("after the advice of check", c.testAdvice)
}

// testWhyWithoutBackend explains a volume of another project.
func (c *liveCloud) testWhyWithoutBackend(t *testing.T) {
	id := c.create(c.operator, "db-17", "gold", 100)
	out, errs := c.run(4, "why", "db-17", "--os-cloud", "prod")
	t.Logf("%s%s", out, errs)
	wants(t, out, id, "status error. The scheduler found no backend for it", "Could not find any available weighted backend", "req-",
		"total_volumes 912 is not <= 500", "the service is disabled (firmware update)", "gigabytes 100 1000 100", "100 GiB", "Those of the time of the create are gone")
	if strings.Contains(out, "exceeded") {
		t.Error("the quota is said to be exceeded")
	}
	checkTranscript(t, "why.txt", "$ poolcast why db-17 --os-cloud prod\n"+steady(out))
}

// steady replaces what differs at each run: ids, times and ages.
func steady(out string) string {
	for pattern, value := range map[string]string{
		`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`: "c7cb1d7e-4f6f-4a2b-9a0c-3a4b6f1f2d11",
		`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`:            "2026-11-25 03:00:00",
		`UTC, \d+s ago`:                             "UTC, 1s ago",
		`the oldest report \d+s old`:                "the oldest report 9s old",
		`listed \d+s ago`:                           "listed 0s ago",
		`placed\s+since\s+the\s+reports`:            "placed since\n  the reports", // the age decides where it is wrapped
		`127\.0\.0\.1:\d+`:                          "10.0.0.5:5672",
	} {
		out = regexp.MustCompile(pattern).ReplaceAllString(out, value)
	}
	return out
}

func wants(t *testing.T, text string, parts ...string) {
	t.Helper()
	plain := strings.Join(strings.Fields(text), " ") // lines are wrapped
	for _, part := range parts {
		if !strings.Contains(plain, part) {
			t.Errorf("%q is missing in\n%s", part, text)
		}
	}
}

func (c *liveCloud) testPlace(t *testing.T) {
	out, _ := c.run(0, "place", "--os-cloud", "prod", "--type", "silver", "--size", "100")
	t.Log(out)
	wants(t, out, "flasharray_x_02 would take it", "total_volumes 912 is not <= 600", "the service is disabled (firmware update)")
	out, _ = c.run(0, "place", "--os-cloud", "prod", "--type", "silver", "--size", "100", "--output", "json")
	wants(t, out, `"maxIOPS": "5000"`)
	out, _ = c.run(0, "rehearse", "--os-cloud", "prod", "--type", "silver", "--size", "100", "--count", "4", "--settings", "current")
	wants(t, out, "4 of 4 volumes go to flasharray_x_02")
	_, errs := c.run(0, "place", "--os-cloud", "prod", "--size", "100")
	wants(t, errs, "the type is __DEFAULT__")
	out, errs = c.run(0, "prefer", "--os-cloud", "prod", "--type", "gold")
	t.Logf("%s%s", out, errs)
	wants(t, out, "openstack volume type unset --property capabilities:total_volumes gold", "total_volumes <= 500",
		"flasharray_x_03 is configured here and has no report")
	_, errs = c.run(2, "prefer", "--os-cloud", "prod", "--type", "bronze")
	wants(t, errs, "unknown type bronze: the list has silver, gold, __DEFAULT__")
	_, errs = c.run(4, "place", "--os-cloud", "prod", "--type", "gold", "--size", "100")
	wants(t, errs, "poolcast prefer --os-cloud prod --type gold prints settings")
	_, errs = c.run(2, "place", "--os-cloud", "prod", "--type", "bronze", "--size", "100")
	wants(t, errs, `no volume type "bronze"; it has silver, gold, __DEFAULT__`)
}

func (c *liveCloud) testCheck(t *testing.T) {
	out, _ := c.run(3, "check", "--os-cloud", "prod", "--no-bus")
	t.Log(out)
	wants(t, out, "firmware update", "openstack volume service set --enable ctl1@flasharray_x_03 cinder-volume",
		"silver 1 2 flasharray_x_02", "gold 0 2 -")
}

func (c *liveCloud) testWhyPlaced(t *testing.T) {
	id := c.create(c.identity.Admin, "db-18", "silver", 100)
	c.must(http.MethodPost, "volumes/"+id+"/action", object{"os-reset_status": object{"status": "available"}}, nil)
	out, errs := c.run(0, "why", id, "--os-cloud", "prod")
	t.Logf("%s%s", out, errs)
	wants(t, out, "It is on ctl1@flasharray_x_02#"+pool, "maxIOPS", "flasharray_x_02 would take it")
}

func (c *liveCloud) testWhyQuota(t *testing.T) {
	c.must(http.MethodPut, "os-quota-sets/"+c.identity.Admin.Project, object{"quota_set": object{"gigabytes_silver": 150}}, nil)
	fields := object{"volume": object{"name": "db-19", "size": 100, "volume_type": "silver"}}
	if status := c.call(c.identity.Admin, http.MethodPost, "volumes", fields, nil); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a volume over the quota got the status %d", status)
	}
	out, _ := c.run(4, "why", "db-18", "--os-cloud", "prod")
	t.Log(out)
	wants(t, out, "the quota gigabytes_silver is 150, 100 are in use, and it needs 100")
	var got struct {
		Quota []struct {
			Resource string
			Exceeded bool
		}
		Verdict string
	}
	out, _ = c.run(4, "why", "db-18", "--os-cloud", "prod", "--output", "json")
	if err := json.Unmarshal([]byte(out), &got); err != nil || len(got.Quota) == 0 {
		t.Errorf("read %s: %v", out, err)
	}
	for _, q := range got.Quota {
		if q.Exceeded != (q.Resource == "gigabytes_silver") {
			t.Errorf("exceeded of %s is %t", q.Resource, q.Exceeded)
		}
	}
}

func (c *liveCloud) testWithoutRights(t *testing.T) {
	_, errs := c.run(1, "place", "--os-cloud", "operator", "--type", "gold", "--size", "100")
	t.Log(errs)
	wants(t, errs, "only a part of their extra specs", "role admin")
	_, errs = c.run(2, "place", "--os-cloud", "missing", "--type", "gold", "--size", "100")
	wants(t, errs, `no cloud "missing"; it has operator, prod`)
}

// testAdvice types what check advises for a disabled service: then the volume of
// testWhyWithoutBackend would get a backend.
func (c *liveCloud) testAdvice(t *testing.T) {
	c.identity.Client("volume", "service", "set", "--enable", "ctl1@flasharray_x_03", "cinder-volume")
	out, _ := c.run(0, "why", "db-17", "--os-cloud", "prod")
	wants(t, out, "The scheduler found no backend for it", "flasharray_x_03 would take it")
	out, _ = c.run(0, "plan", "--os-cloud", "prod", "--evacuate", "flasharray_x_02", "--source", "scheduler")
	t.Log(out)
	wants(t, out, "1 move, 1 mandatory and 0 optional, copy 100 GiB", "openstack --os-cloud prod volume migrate --host 'ctl1@flasharray_x_03#"+pool+"'")
}

// testPlanRefused empties the array of the volume of testWhyPlaced, while one array does not
// fit its type and the other is disabled.
func (c *liveCloud) testPlanRefused(t *testing.T) {
	out, errs := c.run(4, "plan", "--os-cloud", "prod", "--evacuate", "flasharray_x_02", "--source", "scheduler")
	t.Logf("%s%s", out, errs)
	wants(t, out, "1 volume cannot be moved", "db-18 flasharray_x_02 100", "total_volumes 912 is not <= 600")
	_, errs = c.run(2, "plan", "--os-cloud", "prod", "--evacuate", "flasharray_x_09")
	wants(t, errs, `no backend "flasharray_x_09"`)
}
