package main

import (
	"cmp"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/backends"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/decision"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/input"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/openstack"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/text"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/config"
)

// cloudFlag is the cloud whose APIs are asked.
type cloudFlag struct{ name string }

func (f *cloudFlag) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.name, "os-cloud", "", "read volume types, QoS specs and services from the APIs of this cloud, a `name` in clouds.yaml")
	_ = cmd.RegisterFlagCompletionFunc("os-cloud", func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		names, err := openstack.CloudNames(cmd.Context())
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	})
	if cmd.Flags().Lookup("types") != nil {
		cmd.MarkFlagsMutuallyExclusive("os-cloud", "types")
	}
}

// read reads the catalogue of the cloud, which is empty if none is given, and gives its
// types to the volume. A volume that names neither type nor extra specs gets the default
// type, as cinder-api does it.
func (f *cloudFlag) read(cmd *cobra.Command, v *input.Volume) (*openstack.Catalogue, error) {
	if f.name == "" {
		return &openstack.Catalogue{}, nil
	}
	client, err := f.connect(cmd)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	defer progress(cmd, "reading the volume types and services of the cloud "+f.name).Stop()
	catalogue, err := client.Catalogue(cmd.Context())
	if err != nil {
		return nil, err
	}
	for _, note := range catalogue.Notes {
		cmd.PrintErrln("warning:", text.Printable(note))
	}
	if v == nil {
		return catalogue, nil
	}
	v.Cloud = catalogue
	if v.Type == "" && len(v.Properties) == 0 && catalogue.Default != "" {
		v.Type = catalogue.Default
		cmd.PrintErrf("note: the type is %s, the default of the cloud\n", text.Printable(v.Type))
	}
	return catalogue, nil
}

// progress shows that something takes long; its Stop ends it.
func progress(cmd *cobra.Command, what string) *text.Progress {
	return text.ScreenOf(cmd.ErrOrStderr()).Begin(cmd.Context(), what, "")
}

// withCatalogue is the cloud of a configuration, completed with a catalogue.
func withCatalogue(cfg *config.Config, set *backends.Set, catalogue *openstack.Catalogue) *decision.Cloud {
	set.ApplyServices(catalogue.Services)
	cloud := decision.NewCloud(cfg, set)
	if catalogue.Zones != nil {
		cloud.API.Zones, cloud.API.AllZones = catalogue.Zones, true
	}
	return cloud
}

// require takes the cloud of the environment variable OS_CLOUD if no other one is given.
func (f *cloudFlag) require() error {
	if f.name = cmp.Or(f.name, os.Getenv("OS_CLOUD")); f.name == "" {
		return errors.New("--os-cloud is missing: give the name of a cloud in clouds.yaml, or set OS_CLOUD")
	}
	return nil
}

// connect opens the cloud. An error of clouds.yaml is one of usage.
func (f *cloudFlag) connect(cmd *cobra.Command) (*openstack.Client, error) {
	defer progress(cmd, "connecting to the cloud "+f.name).Stop()
	client, err := openstack.Connect(cmd.Context(), f.name)
	if errors.Is(err, openstack.ErrSetup) {
		return nil, exit.With(exit.Usage, err)
	}
	return client, err
}

// typesFlag is the flag that gave the volume types, for what to type; "" without types.
func (f *cloudFlag) typesFlag(file string) string {
	switch {
	case f.name != "":
		return "--os-cloud " + format.ShellQuoted(f.name)
	case file != "":
		return "--types " + format.ShellQuoted(file)
	}
	return ""
}
