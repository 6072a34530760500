package keystone

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/poolcast/poolcast/integration/process"
)

const (
	// startBound is how long Keystone may take to respond. It takes about three
	// seconds; the rest is for a busy machine.
	startBound = 90 * time.Second
	// clientBound is how long one command of the client may take.
	clientBound = 2 * time.Minute
)

//go:embed serve.py
var serveProgram []byte

// Keystone is a running Keystone. Its methods are for the test's goroutine.
type Keystone struct {
	URL   string // with the version, as auth_url
	Admin User

	t    process.T
	dir  string
	http http.Client
}

// User is a user of the default domain, with a role in the project of the same name.
type User struct {
	Name, Password string
	Project        string // id
	Token          string
}

// Start runs a Keystone and returns when it responds.
func Start(t process.T) *Keystone {
	t.Helper()
	requireInstalled(t)
	port := strconv.Itoa(process.Ports(t, 1)[0])
	k := &Keystone{
		URL: "http://127.0.0.1:" + port + "/v3", Admin: User{Name: "admin", Password: rand.Text()},
		t: t, dir: t.TempDir(), http: http.Client{Timeout: 30 * time.Second},
	}
	k.write("serve.py", serveProgram)
	k.write("keystone.conf", []byte(k.settings()))
	p := process.Start(t, process.Command{
		Name: "keystone",
		Args: []string{"/usr/bin/python3", k.path("serve.py"), k.path("keystone.conf"), k.path("keystone.sqlite"), port},
		Env:  []string{"ADMIN_PASSWORD=" + k.Admin.Password},
		Dir:  k.dir,
	})
	process.Await(t, startBound, "Keystone to respond", func() error {
		if !p.Running() {
			t.Fatalf("start Keystone: %s", p.Exit())
		}
		return k.authenticate(&k.Admin)
	})
	return k
}

func (k *Keystone) settings() string {
	return strings.Join([]string{
		"[database]",
		"connection = sqlite:///" + k.path("keystone.sqlite") + "?timeout=60",
		"sqlite_synchronous = false", // nothing is kept
		"[fernet_tokens]",
		"key_repository = " + k.path("keys"),
		"[fernet_receipts]",
		"key_repository = " + k.path("keys"),
	}, "\n") + "\n"
}

// AddService adds a service with a public endpoint to the catalog.
func (k *Keystone) AddService(kind, name, url string) {
	k.t.Helper()
	service := k.create("services", "service", map[string]any{"type": kind, "name": name})
	k.create("endpoints", "endpoint", map[string]any{
		"service_id": service, "interface": "public", "region_id": "RegionOne", "url": url,
	})
}

// AddUser adds a user with a role, such as reader, on a new project of the same name.
func (k *Keystone) AddUser(name, role string) User {
	k.t.Helper()
	u := User{Name: name, Password: rand.Text()}
	project := k.create("projects", "project", map[string]any{"name": name, "domain_id": "default"})
	user := k.create("users", "user", map[string]any{"name": name, "domain_id": "default", "password": u.Password})
	var roles struct{ Roles []struct{ ID string } }
	k.call(http.MethodGet, "roles?name="+role, nil, &roles)
	if len(roles.Roles) != 1 {
		k.t.Fatalf("Keystone has %d roles of the name %s", len(roles.Roles), role)
	}
	k.call(http.MethodPut, "projects/"+project+"/users/"+user+"/roles/"+roles.Roles[0].ID, nil, nil)
	if err := k.authenticate(&u); err != nil {
		k.t.Fatalf("authenticate %s: %v", name, err)
	}
	return u
}

// Client runs the command openstack as admin and returns what it printed.
func (k *Keystone) Client(args ...string) string {
	k.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), clientBound)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/usr/bin/openstack", args...)
	cmd.Dir = k.dir
	cmd.Env = append(cmd.Environ(), "PYTHONWARNINGS=ignore", "OS_AUTH_URL="+k.URL, "OS_IDENTITY_API_VERSION=3",
		"OS_USERNAME=admin", "OS_PASSWORD="+k.Admin.Password, "OS_PROJECT_NAME=admin", "OS_USER_DOMAIN_ID=default", "OS_PROJECT_DOMAIN_ID=default")
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			out = append(out, exit.Stderr...)
		}
		k.t.Fatalf("run openstack %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// authenticate gets a token for a user.
func (k *Keystone) authenticate(u *User) error {
	type object = map[string]any
	domain := object{"id": "default"}
	body, err := json.Marshal(object{"auth": object{
		"identity": object{
			"methods":  []string{"password"},
			"password": object{"user": object{"name": u.Name, "domain": domain, "password": u.Password}},
		},
		"scope": object{"project": object{"name": u.Name, "domain": domain}},
	}})
	if err != nil {
		return err
	}
	response, err := k.http.Post(k.URL+"/auth/tokens", "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusCreated {
		return fmt.Errorf("get a token: %s", response.Status)
	}
	var got struct {
		Token struct{ Project struct{ ID string } }
	}
	if err := json.NewDecoder(response.Body).Decode(&got); err != nil {
		return fmt.Errorf("get a token: %w", err)
	}
	u.Project, u.Token = got.Token.Project.ID, response.Header.Get("X-Subject-Token")
	return nil
}

// create creates a resource and returns its id.
func (k *Keystone) create(path, kind string, fields map[string]any) string {
	k.t.Helper()
	var got map[string]struct{ ID string }
	k.call(http.MethodPost, path, map[string]any{kind: fields}, &got)
	return got[kind].ID
}

// call sends a request that must succeed, as admin.
func (k *Keystone) call(method, path string, fields map[string]any, into any) {
	k.t.Helper()
	if err := k.request(method, path, fields, into); err != nil {
		k.t.Fatalf("%s %s at Keystone: %v", method, path, err)
	}
}

func (k *Keystone) request(method, path string, fields map[string]any, into any) error {
	body := []byte{}
	if fields != nil {
		var err error
		if body, err = json.Marshal(fields); err != nil {
			return err
		}
	}
	request, err := http.NewRequest(method, k.URL+"/"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Auth-Token", k.Admin.Token)
	response, err := k.http.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return err
	case response.StatusCode >= http.StatusMultipleChoices:
		return fmt.Errorf("%s: %s", response.Status, text)
	case into == nil:
		return nil
	}
	return json.Unmarshal(text, into)
}

func (k *Keystone) path(name string) string { return filepath.Join(k.dir, name) }

func (k *Keystone) write(name string, data []byte) {
	k.t.Helper()
	if err := os.WriteFile(k.path(name), data, 0o600); err != nil {
		k.t.Fatalf("write Keystone's %s: %v", name, err)
	}
}

// requireInstalled stops the test where Keystone is missing.
func requireInstalled(t process.T) {
	t.Helper()
	if err := exec.Command("/usr/bin/python3", "-c", "import keystone").Run(); err != nil {
		t.Fatalf("Keystone is not installed (%v): run integration/setup, or apt-get install --no-install-recommends python3-keystone python3-openstackclient", err)
	}
}
