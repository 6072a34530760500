package openstack

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/config/clouds"
	"go.yaml.in/yaml/v3"

	"github.com/poolcast/poolcast/config/files"
)

// maxClouds is the maximum size of clouds.yaml and secure.yaml, in bytes.
const maxClouds = 1 << 20

// credentials are what clouds.yaml has of one cloud. They have secrets.
type credentials struct {
	path     string // of clouds.yaml
	auth     gophercloud.AuthOptions
	endpoint gophercloud.EndpointOpts
	tls      *tls.Config
}

// readCredentials reads the cloud of a name from clouds.yaml and from the secure.yaml
// beside it, where python-openstackclient looks for them.
func readCredentials(ctx context.Context, name string) (*credentials, error) {
	if name == "" {
		return nil, errors.New("want the name of a cloud in clouds.yaml")
	}
	return files.Do(ctx, new(files.Reader), func() (*credentials, error) {
		path, data, err := findClouds()
		if err != nil {
			return nil, err
		}
		if err := checkName(data, name); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		options := []clouds.ParseOption{clouds.WithCloudName(name), clouds.WithCloudsYAML(bytes.NewReader(data))}
		secure, err := files.Read(filepath.Join(filepath.Dir(path), "secure.yaml"), maxClouds)
		switch {
		case err == nil:
			options = append(options, clouds.WithSecureYAML(bytes.NewReader(secure)))
		case !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("read secure.yaml: %w", err)
		}
		c := &credentials{path: path}
		if c.auth, c.endpoint, c.tls, err = clouds.Parse(options...); err != nil {
			return nil, fmt.Errorf("%s: cloud %s: %w", path, name, withoutValues(err))
		}
		if c.auth.IdentityEndpoint == "" {
			return nil, fmt.Errorf("%s: cloud %s has no auth_url: add the URL of Keystone to its section auth", path, name)
		}
		c.auth.AllowReauth = false // a command ends before its token expires
		return c, nil
	})
}

// findClouds reads the first clouds.yaml of the places where it may be.
func findClouds() (path string, data []byte, err error) {
	places := locations()
	for _, place := range places {
		data, err := files.Read(place, maxClouds)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", nil, fmt.Errorf("read clouds.yaml: %w", err)
		}
		return place, data, nil
	}
	return "", nil, fmt.Errorf("find clouds.yaml: there is none at %s; write it to one of these places, or name it in OS_CLIENT_CONFIG_FILE",
		strings.Join(places, ", "))
}

// locations are the paths of clouds.yaml, in the order in which they are tried.
func locations() []string {
	if path := os.Getenv("OS_CLIENT_CONFIG_FILE"); path != "" {
		return []string{path}
	}
	places := []string{"clouds.yaml"}
	if dir, err := os.UserConfigDir(); err == nil {
		places = append(places, filepath.Join(dir, "openstack", "clouds.yaml"))
	}
	return append(places, "/etc/openstack/clouds.yaml")
}

// CloudNames are the names of the clouds in clouds.yaml, in alphabetical order.
func CloudNames(ctx context.Context) ([]string, error) {
	return files.Do(ctx, new(files.Reader), func() ([]string, error) {
		_, data, err := findClouds()
		if err != nil {
			return nil, err
		}
		return cloudNames(data)
	})
}

func cloudNames(data []byte) ([]string, error) {
	var file struct {
		Clouds map[string]yaml.Node `yaml:"clouds"`
	}
	if err := yaml.Unmarshal(data, &file); err != nil {
		return nil, withoutValues(err)
	}
	return slices.Sorted(maps.Keys(file.Clouds)), nil
}

// checkName says which clouds there are if the one of a name is not among them.
func checkName(data []byte, name string) error {
	names, err := cloudNames(data)
	switch {
	case err != nil:
		return err
	case slices.Contains(names, name):
		return nil
	case len(names) == 0:
		return errors.New("it has no clouds: want a mapping clouds with one entry for each cloud")
	}
	return fmt.Errorf("it has no cloud %q; it has %s", name, strings.Join(names, ", "))
}

// yamlValue is the beginning of a value in an error of a YAML parser.
var yamlValue = regexp.MustCompile("`[^`]*`")

// withoutValues removes values from the text of an error: they may be secrets.
func withoutValues(err error) error {
	return errors.New(yamlValue.ReplaceAllString(err.Error(), "a value"))
}
