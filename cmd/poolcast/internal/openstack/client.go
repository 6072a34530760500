package openstack

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	gopenstack "github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/config"
)

const (
	// requestBound is how long one request may take. cinder-api responds within a
	// second; a list of ten thousand types takes some.
	requestBound = 30 * time.Second
	// maxResponse is the maximum size of a response, in bytes.
	maxResponse = 32 << 20
	// pageSize is how many entries of a list are requested at once. An API that
	// permits fewer (osapi_max_limit) sends fewer.
	pageSize = 1000
	// maxPages is how many pages of one list are read.
	maxPages = 100
)

// Client reads from the Block Storage API of one cloud, with one token. Its methods may
// be called from any goroutine.
type Client struct {
	name   string // in clouds.yaml
	volume *gophercloud.ServiceClient
}

// Connect reads clouds.yaml and requests a token for the cloud of that name.
func Connect(ctx context.Context, name string) (*Client, error) {
	c, err := readCredentials(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSetup, err)
	}
	ctx, cancel := context.WithTimeout(ctx, requestBound)
	defer cancel()
	provider, err := config.NewProviderClient(ctx, c.auth, config.WithHTTPClient(httpClient(c)))
	if err != nil {
		return nil, fmt.Errorf("get a token for cloud %s from %s: %w", name, hostOf(c.auth.IdentityEndpoint), identityError(err))
	}
	volume, err := gopenstack.NewBlockStorageV3(provider, c.endpoint)
	if err != nil {
		return nil, fmt.Errorf("find the Block Storage API of cloud %s: %w", name, catalogError(c.endpoint, err))
	}
	return &Client{name: name, volume: volume}, nil
}

// Close closes the connections.
func (c *Client) Close() { c.volume.HTTPClient.CloseIdleConnections() }

// httpClient follows no redirect, because the token would go with it.
func httpClient(c *credentials) http.Client {
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		TLSClientConfig:       c.tls,
		TLSHandshakeTimeout:   requestBound,
		ResponseHeaderTimeout: requestBound,
		MaxIdleConnsPerHost:   1,
		ForceAttemptHTTP2:     true,
	}
	return http.Client{
		Transport:     bounded{transport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// bounded limits the size of responses.
type bounded struct{ *http.Transport }

func (b bounded) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := b.Transport.RoundTrip(request)
	if err == nil {
		response.Body = http.MaxBytesReader(nil, response.Body, maxResponse)
	}
	return response, err
}

// get reads one resource of the part of the API that is of a project into a value.
func (c *Client) get(ctx context.Context, q query, into any) error {
	ctx, cancel := context.WithTimeout(ctx, requestBound)
	defer cancel()
	address := c.volume.ServiceURL(strings.Split(q.path, "/")...)
	if len(q.values) > 0 {
		address += "?" + q.values.Encode()
	}
	_, err := c.volume.Get(ctx, address, into, &gophercloud.RequestOpts{ //nolint:bodyclose // gophercloud closes it
		MoreHeaders: map[string]string{"OpenStack-API-Version": "volume " + q.version()},
		OkCodes:     []int{http.StatusOK},
	})
	if err != nil {
		return fmt.Errorf("request %s from cloud %s: %w", q.what, c.name, q.explain(err))
	}
	return nil
}

// query is what to request.
type query struct {
	what         string // for errors, such as "the volume types"
	path         string // below the project, such as types
	shown        string // the path for errors, if path has an id
	values       url.Values
	microversion string // "" for 3.0
	right        string // the rule that Cinder checks
}

func (q query) version() string {
	if q.microversion == "" {
		return "3.0"
	}
	return q.microversion
}

// getAll reads every page of a list. The function gets a page and returns the id of its
// last entry and whether there are more.
func (c *Client) getAll(ctx context.Context, q query, page func(context.Context, query) (last string, more bool, err error)) error {
	values := url.Values{"limit": {fmt.Sprint(pageSize)}}
	for key, value := range q.values {
		values[key] = value
	}
	q.values = values
	for range maxPages {
		last, more, err := page(ctx, q)
		if err != nil || !more || last == "" {
			return err
		}
		values.Set("marker", last)
	}
	return fmt.Errorf("request %s from cloud %s: there are more than %d pages", q.what, c.name, maxPages)
}

// hostOf is the host of a URL, without user and path.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "auth_url"
	}
	return u.Scheme + "://" + u.Host
}
