package openstack

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/gophercloud/gophercloud/v2"
)

// ErrSetup is an error of clouds.yaml or of the name of the cloud, for errors.Is.
var ErrSetup = errors.New("--os-cloud")

// errNotFound is a response 404.
var errNotFound = errors.New("it does not exist, or the credential may not see it")

// ErrDenied is a response 401 or 403 of the Block Storage API, for errors.Is.
var ErrDenied = errors.New("the request is not permitted")

// identityError is what an error of Keystone means. It is written anew, because the
// body of a response may repeat parts of the request.
func identityError(err error) error {
	if code, ok := status(err); ok {
		switch code {
		case http.StatusUnauthorized:
			return errors.New("401 Unauthorized: user, password and project are not valid together, or the application credential has expired, is deleted, or has another secret; check the section auth in clouds.yaml")
		case http.StatusNotFound:
			return errors.New("404 Not Found: auth_url is not an identity endpoint; it usually ends with :5000/v3 or /identity/v3")
		}
		return fmt.Errorf("%d %s", code, http.StatusText(code))
	}
	return networkError(err)
}

// catalogError says which endpoint was searched for.
func catalogError(o gophercloud.EndpointOpts, err error) error {
	if _, missing := errors.AsType[*gophercloud.ErrEndpointNotFound](err); !missing {
		return networkError(err)
	}
	where := ""
	if o.Region != "" {
		where = " in region " + o.Region
	}
	return fmt.Errorf("the catalog has no %s endpoint of a service of type block-storage or volumev3%s; check region_name and interface in clouds.yaml, and openstack catalog list", o.Availability, where)
}

// explain is what an error of the Block Storage API means. The URL is left out,
// because it has the id of a project.
func (q query) explain(err error) error {
	code, ok := status(err)
	if !ok {
		return networkError(err)
	}
	path := q.path
	if q.shown != "" {
		path = q.shown
	}
	switch code {
	case http.StatusUnauthorized:
		return fmt.Errorf("GET /v3/PROJECT/%s: 401 Unauthorized: the token is not valid there, or the access rules of the application credential do not have this path: %w", path, ErrDenied)
	case http.StatusForbidden:
		return fmt.Errorf("GET /v3/PROJECT/%s: 403 Forbidden: the credential needs the role admin; Cinder checks the rule %s: %w", path, q.right, ErrDenied)
	case http.StatusNotFound:
		return errNotFound
	case http.StatusNotAcceptable:
		return fmt.Errorf("GET /v3/PROJECT/%s: this Cinder does not have version %s of the API", path, q.version())
	}
	return fmt.Errorf("GET /v3/PROJECT/%s: %d %s", path, code, http.StatusText(code))
}

func status(err error) (code int, ok bool) {
	var unexpected gophercloud.ErrUnexpectedResponseCode
	if errors.As(err, &unexpected) {
		return unexpected.Actual, true
	}
	return 0, false
}

// networkError is an error without a response: the URL is left out, and what to do is
// added.
func networkError(err error) error {
	if failed, ok := errors.AsType[*url.Error](err); ok {
		err = failed.Err
	}
	if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); unknown {
		return fmt.Errorf("%w; name the file of the authority in clouds.yaml: cacert", err)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no response in time: %w", err)
	}
	return err
}
