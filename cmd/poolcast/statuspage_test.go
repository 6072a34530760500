package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"mime"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/poolcast/poolcast/flasharray/simulator"
	"github.com/poolcast/poolcast/integration/openapi"
)

// pageAddress waits until an agent that listens on port 0 logs the address of its
// status page.
func (e *environment) pageAddress(log *safeBuffer) (address string) {
	e.t.Helper()
	e.await("a status page", func() bool {
		_, line, up := strings.Cut(log.String(), "status page is up")
		_, rest, found := strings.Cut(line, "address=")
		address, _, _ = strings.Cut(strings.TrimSpace(rest), " ")
		return up && found
	})
	return address
}

// apiClient sends requests to one agent.
type apiClient struct {
	t      *testing.T
	base   string
	token  string
	client *http.Client
}

func (a *apiClient) get(path string) (code int, kind string, body []byte) {
	a.t.Helper()
	request, err := http.NewRequestWithContext(a.t.Context(), http.MethodGet, a.base+path, nil)
	if err != nil {
		a.t.Fatal(err)
	}
	if a.token != "" {
		request.Header.Set("Authorization", "Bearer "+a.token)
	}
	response, err := a.client.Do(request)
	if err != nil {
		return 0, err.Error(), nil
	}
	defer func() { _ = response.Body.Close() }()
	if body, err = io.ReadAll(response.Body); err != nil {
		a.t.Fatal(err)
	}
	kind, _, _ = mime.ParseMediaType(response.Header.Get("Content-Type"))
	return response.StatusCode, kind, body
}

// secured runs an agent whose page needs TLS and a token.
func (e *environment) secured() (*apiClient, *safeBuffer) {
	e.t.Helper()
	e.configure(len(e.arrays))
	e.write("token", "open-sesame\n")
	roots := x509.NewCertPool()
	roots.AddCert(e.certificate(1))
	conf, err := os.ReadFile(e.path("cinder.conf"))
	if err != nil {
		e.t.Fatal(err)
	}
	e.write("cinder.conf", strings.Replace(string(conf), "listen = off", "listen = 127.0.0.1:0"+
		"\ntls_cert_file = "+e.path("cert.pem")+"\ntls_key_file = "+e.path("key.pem")+"\nbearer_token_file = "+e.path("token"), 1))
	log, _ := e.agent()
	return &apiClient{
		t: e.t, base: "https://" + e.pageAddress(log), token: "open-sesame",
		client: &http.Client{Timeout: maxWait, Transport: &http.Transport{
			DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots},
		}},
	}, log
}

// certificate writes cert.pem and key.pem for loopback.
func (e *environment) certificate(serial int64) *x509.Certificate {
	e.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		e.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		e.t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		e.t.Fatal(err)
	}
	e.write("cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	e.write("key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		e.t.Fatal(err)
	}
	return cert
}

// reported waits until every array is in /v1/reports.
func (a *apiClient) reported(e *environment) {
	e.t.Helper()
	e.await("a report of each array", func() bool {
		_, _, body := a.get("/v1/reports")
		return strings.Count(string(body), `"collected_at"`) == len(e.arrays)
	})
}

// Every response of a real agent matches its own OpenAPI description.
func TestResponsesMatchTheOpenAPIDescription(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t, 2)
	a, _ := e.secured()
	a.reported(e)
	_, kind, text := a.get("/v1/openapi.yaml")
	if kind != "application/yaml" {
		t.Errorf("the description comes as %s", kind)
	}
	spec, err := openapi.Parse(text, openapi.Options{})
	if err != nil {
		t.Fatal(err)
	}
	described := map[string]bool{}
	for _, c := range []struct {
		path, query string
		code        int
	}{
		{"/livez", "", 200},
		{"/readyz", "", 503}, // there is no broker
		{"/metrics", "", 200},
		{"/v1/openapi.yaml", "", 200},
		{"/v1/reports", "", 200},
		{"/v1/effective", "", 200},
		{"/v1/failures", "", 200},
		{"/v1/scheduler", "", 200},
		{"/v1/place", "?size=10", 200},
		{"/v1/place", "?size=10&policy=prefer&property=volume_backend_name%3Dgold&property=capabilities:total_volumes%3D%3C%3D+1", 200},
		{"/v1/place", "?size=10&availability_zone=mars&property=volume_backend_name%3Dgold", 200},
		{"/v1/place", "?size=10&qos=maxIOPS%3D5&hint=" + url.QueryEscape(`query=["=",1,1]`), 200},
		{"/v1/place", "?size=10&volume_type=gold", 400},
		{"/v1/place", "?size=10&hint=same_host%3Dnone", 400},
		{"/v1/place", "?size=10&qos=none", 400},
		{"/v1/place", "?size=none", 400},
		{"/v1/place", "?size=1&policy=whim", 400},
		{"/v1/place", "?size=1&property=" + url.QueryEscape("no value"), 400},
	} {
		code, kind, body := a.get(c.path + c.query)
		if code != c.code {
			t.Errorf("%s%s: %d %s, want %d", c.path, c.query, code, body, c.code)
		}
		for _, fault := range spec.Faults(http.MethodGet, c.path, code, kind, body) {
			t.Errorf("%s%s: %s", c.path, c.query, fault)
		}
		described[c.path] = true
	}
	for _, path := range spec.Paths() {
		if !described[path] {
			t.Errorf("%s is described and not requested here", path)
		}
	}
	a.token = "guess"
	for _, path := range []string{"/metrics", "/v1/openapi.yaml", "/v1/reports", "/v1/effective", "/v1/failures", "/v1/scheduler", "/v1/place"} {
		code, kind, body := a.get(path)
		for _, fault := range spec.Faults(http.MethodGet, path, code, kind, body) {
			t.Errorf("without the token: %s", fault)
		}
		if code != http.StatusUnauthorized {
			t.Errorf("%s without the token: %d", path, code)
		}
	}
}

// A certificate and a token that are renewed count at once; a half-written pair
// and an empty token leave the last good ones.
func TestRenewedCertificateAndTokenAreUsed(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t, 1)
	a, log := e.secured()
	a.reported(e)

	e.write("cert.pem", "half a certi")
	e.write("token", "")
	if code, kind, _ := a.get("/v1/reports"); code != http.StatusOK {
		t.Errorf("in the middle of a renewal: %d %s", code, kind)
	}
	roots := x509.NewCertPool()
	roots.AddCert(e.certificate(2))
	a.client = &http.Client{Timeout: maxWait, Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots}}}
	e.write("token", "renewed-sesame")
	if code, _, _ := a.get("/v1/reports"); code != http.StatusUnauthorized {
		t.Errorf("the old token still gets %d", code)
	}
	a.token = "renewed-sesame"
	if code, kind, _ := a.get("/v1/reports"); code != http.StatusOK {
		t.Errorf("after the renewal: %d %s", code, kind)
	}
	if strings.Contains(log.String(), "sesame") {
		t.Errorf("a token is in the log: %s", log)
	}
}

// A report that is withheld, because its array went away, is still shown, with
// its age and the reason.
func TestSuspendedReportIsShown(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t, 2)
	a, _ := e.secured()
	a.reported(e)
	e.arrays[0].SetFaults(simulator.ServerError(http.StatusServiceUnavailable))
	e.await("a page with the cause", func() bool {
		_, _, body := a.get("/")
		return strings.Contains(string(body), "critical: down<")
	})
	a.reported(e)
	_, _, body := a.get("/metrics")
	if text := string(body); !strings.Contains(text, `poolcast_array_up{backend="fa0",host="ctl1@fa0",volume_backend_name="gold"} 0`) ||
		!strings.Contains(text, `poolcast_array_up{backend="fa1",host="ctl1@fa1",volume_backend_name="gold"} 1`) {
		t.Errorf("one array is down and one is up:\n%s", text)
	}
}

// The same finding as that of poolcast check is in the log from the start.
func TestFilesReadableByOthersAreLogged(t *testing.T) {
	t.Parallel()
	e := newEnvironment(t, 1)
	e.configure(1)
	log, stop := e.agent()
	e.await("the first poll", polled(e.arrays[0]))
	stop()
	if text := log.String(); strings.Contains(text, "chmod") {
		t.Errorf("a private file is warned of: %s", text)
	}
	if err := os.Chmod(e.path("cinder.conf"), 0o644); err != nil {
		t.Fatal(err)
	}
	log, _ = e.agent()
	e.await("the warning", log.has("chmod o-rwx "+e.path("cinder.conf")))
}
