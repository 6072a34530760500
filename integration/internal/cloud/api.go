package cloud

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/integration/internal/keystone"
)

// Project is the id of the project without Keystone. cinder-api takes any hexadecimal
// one.
const Project = "0123456789abcdef0123456789abcdef"

// apiVersion is the newest version of the API that Cinder 21 has; newer releases have it
// too.
const apiVersion = "volume 3.70"

// API is a client of cinder-api, as an administrator. Its methods may be called from any
// goroutine.
type API struct {
	url     string // without a version
	project string
	token   func() string
	http    http.Client
}

func newAPI(url string, k *keystone.Keystone) *API {
	a := &API{url: url, project: Project, http: http.Client{Timeout: 90 * time.Second}}
	a.token = func() string { return "admin:" + a.project }
	if k != nil {
		a.project = k.Admin.Project
		a.token = func() string { return k.Admin.Token }
	}
	return a
}

// URL is that of the API with its version and without a project.
func (a *API) URL() string { return a.url + "/v3" }

// StatusError is a response of cinder-api that is none of success.
type StatusError struct {
	Request string
	Status  int
	Message string // why, in the words of Cinder
}

// Error has the request, the status and why.
func (e *StatusError) Error() string {
	return fmt.Sprintf("%s at cinder-api: status %d: %s", e.Request, e.Status, e.Message)
}

type object = map[string]any

// Call sends a request for a path of the project, and decodes the response unless into is
// nil. A response that is none of success is a [*StatusError].
func (a *API) Call(ctx context.Context, method, path string, fields, into any) error {
	var body bytes.Buffer
	if fields != nil {
		if err := json.NewEncoder(&body).Encode(fields); err != nil {
			return fmt.Errorf("encode %s %s: %w", method, path, err)
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, a.URL()+"/"+a.project+"/"+path, &body)
	if err != nil {
		return fmt.Errorf("make %s %s: %w", method, path, err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("OpenStack-API-Version", apiVersion)
	request.Header.Set("X-Auth-Token", a.token())
	response, err := a.http.Do(request)
	if err != nil {
		return fmt.Errorf("send to cinder-api: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return fmt.Errorf("read %s %s: %w", method, path, err)
	case response.StatusCode >= http.StatusMultipleChoices:
		return &StatusError{Request: method + " " + path, Status: response.StatusCode, Message: messageOf(text)}
	case into == nil:
		return nil
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("decode %s %s: %w", method, path, err)
	}
	return nil
}

// messageOf is the message of an error of Cinder, {"badRequest": {"message": …}}, or the
// whole text.
func messageOf(text []byte) string {
	var body map[string]struct{ Message string }
	if err := json.Unmarshal(text, &body); err == nil {
		for _, e := range body {
			if e.Message != "" {
				return e.Message
			}
		}
	}
	return strings.TrimSpace(string(text))
}

// BackendPool is a pool of the scheduler's list.
type BackendPool struct {
	Name         string         `json:"name"` // host@stanza#pool
	Capabilities capability.Set `json:"capabilities"`
}

// Backend is the host@stanza of the pool.
func (p BackendPool) Backend() string {
	backend, _, _ := strings.Cut(p.Name, "#")
	return backend
}

// FromAgent says whether the report is an overlay of an agent.
func (p BackendPool) FromAgent() bool {
	_, ok := p.Capabilities[capability.KeyMetricsAgent]
	return ok
}

// Pools is the scheduler's list.
func (a *API) Pools(ctx context.Context) ([]BackendPool, error) {
	var got struct{ Pools []BackendPool }
	err := a.Call(ctx, http.MethodGet, "scheduler-stats/get_pools?detail=true", nil, &got)
	return got.Pools, err
}

// BackendService is a service of Cinder as cinder-api lists it.
type BackendService struct {
	Binary          string
	Host            string
	Zone            string
	Cluster         string
	Status          string // enabled or disabled
	State           string // up or down
	DisabledReason  string `json:"disabled_reason"`
	ActiveBackendID string `json:"active_backend_id"`
	Frozen          bool
}

// Services lists the services.
func (a *API) Services(ctx context.Context) ([]BackendService, error) {
	var got struct{ Services []BackendService }
	err := a.Call(ctx, http.MethodGet, "os-services", nil, &got)
	return got.Services, err
}

// Service is the cinder-volume service of a host@stanza.
func (a *API) Service(ctx context.Context, host string) (BackendService, error) {
	all, err := a.Services(ctx)
	for _, s := range all {
		if s.Binary == volumeBinary && s.Host == host {
			return s, err
		}
	}
	if err == nil {
		err = fmt.Errorf("cinder-api lists no service %s", host)
	}
	return BackendService{}, err
}

const volumeBinary = "cinder-volume"

// Disable disables the service of a host@stanza.
func (a *API) Disable(ctx context.Context, host, reason string) error {
	return a.Call(ctx, http.MethodPut, "os-services/disable-log-reason", object{"binary": volumeBinary, "host": host, "disabled_reason": reason}, nil)
}

// Enable enables the service of a host@stanza.
func (a *API) Enable(ctx context.Context, host string) error {
	return a.Call(ctx, http.MethodPut, "os-services/enable", object{"binary": volumeBinary, "host": host}, nil)
}

// Freeze freezes a host@stanza.
func (a *API) Freeze(ctx context.Context, host string) error {
	return a.Call(ctx, http.MethodPut, "os-services/freeze", object{"host": host}, nil)
}

// Thaw ends a Freeze.
func (a *API) Thaw(ctx context.Context, host string) error {
	return a.Call(ctx, http.MethodPut, "os-services/thaw", object{"host": host}, nil)
}

// FailOver moves a host@stanza to a replication target: a backend_id of its
// replication_device, or "default", the array itself.
func (a *API) FailOver(ctx context.Context, host, target string) error {
	return a.Call(ctx, http.MethodPut, "os-services/failover_host", object{"host": host, "backend_id": target}, nil)
}

// AddToCatalog adds cinder-api to the catalog of a Keystone.
func (a *API) AddToCatalog(k *keystone.Keystone) {
	k.AddService("volumev3", "cinderv3", a.URL()+"/%(project_id)s")
}
