package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"time"

	"github.com/Masterminds/semver/v3"
	yamlv2 "gopkg.in/yaml.v2"
	"sigs.k8s.io/yaml"
)

// row is what the story compares: one version as a client sees it.
type row struct {
	Chart      string `json:"chart"`
	Version    string `json:"version"`
	AppVersion string `json:"appVersion,omitempty"`
	Created    string `json:"created"`
	Digest     string `json:"digest,omitempty"`
	URL        string `json:"url,omitempty"`
	Deprecated bool   `json:"deprecated,omitempty"`
}

// readers are the clients by name; each keeps the order it would use.
var readers = map[string]func(body []byte, kubernetes string) ([]row, error){
	"artifacthub": func(body []byte, _ string) ([]row, error) { return readStrictly(body) },
	"flux":        func(body []byte, _ string) ([]row, error) { return readAsFlux(body) },
	"argo":        func(body []byte, _ string) ([]row, error) { return readAsArgo(body) },
	"rancher":     readAsRancher,
}

// readStrictly is Artifact Hub's way and that of Helm before 3.13: YAML also for JSON, unknown keys refused.
func readStrictly(body []byte) ([]row, error) {
	var file index
	if err := yaml.UnmarshalStrict(body, &file); err != nil {
		return nil, err
	}
	return rowsOf(&file)
}

// readAsFlux takes JSON by the fast path, then sorts by version and, among equals, by creation.
func readAsFlux(body []byte) ([]row, error) {
	var file index
	read := func(body []byte, file any) error { return yaml.UnmarshalStrict(body, file) }
	if json.Valid(body) {
		read = json.Unmarshal
	}
	if err := read(body, &file); err != nil {
		return nil, err
	}
	for name, versions := range file.Entries {
		if err := sortNewestFirst(versions); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return rowsOf(&file)
}

func sortNewestFirst(versions []*entry) error {
	parsed := make(map[*entry]*semver.Version, len(versions))
	for _, one := range versions {
		if one == nil {
			return errors.New("null entry")
		}
		version, err := semver.NewVersion(one.Version)
		if err != nil {
			return fmt.Errorf("%s: %w", one.Version, err)
		}
		parsed[one] = version
	}
	sort.SliceStable(versions, func(i, j int) bool {
		if order := parsed[versions[i]].Compare(parsed[versions[j]]); order != 0 {
			return order > 0
		}
		return versions[i].Created.After(versions[j].Created)
	})
	return nil
}

// readAsArgo decodes two fields only, with the older YAML library.
func readAsArgo(body []byte) ([]row, error) {
	var file struct {
		Entries map[string][]struct {
			Version string
			Created time.Time
		}
	}
	if err := yamlv2.NewDecoder(bytes.NewReader(body)).Decode(&file); err != nil {
		return nil, err
	}
	var rows []row
	for _, name := range sortedKeys(file.Entries) {
		for _, one := range file.Entries[name] {
			rows = append(rows, row{Chart: name, Version: one.Version, Created: stamp(one.Created)})
		}
	}
	return rows, nil
}

// readAsRancher reads leniently and drops what does not fit the cluster; a null entry would crash it.
func readAsRancher(body []byte, kubernetes string) ([]row, error) {
	var file index
	if err := yaml.Unmarshal(body, &file); err != nil {
		return nil, err
	}
	cluster, err := semver.NewVersion(kubernetes)
	if err != nil {
		return nil, fmt.Errorf("Kubernetes version %q: %w", kubernetes, err)
	}
	for name, versions := range file.Entries {
		var kept []*entry
		for _, one := range versions {
			if one == nil {
				return nil, fmt.Errorf("%s: null entry", name)
			}
			if fits(one.Annotations["catalog.cattle.io/kube-version"], cluster) && fits(one.KubeVersion, cluster) {
				kept = append(kept, one)
			}
		}
		file.Entries[name] = kept
	}
	return rowsOf(&file)
}

// fits tells whether a constraint admits a version; one that cannot be parsed is ignored, as Rancher does.
func fits(text string, version *semver.Version) bool {
	if text == "" {
		return true
	}
	constraint, err := semver.NewConstraint(text)
	return err != nil || constraint.Check(version)
}

func rowsOf(file *index) ([]row, error) {
	if file.APIVersion == "" {
		return nil, errors.New("no apiVersion")
	}
	var rows []row
	for _, name := range sortedKeys(file.Entries) {
		for _, one := range file.Entries[name] {
			if one == nil {
				return nil, fmt.Errorf("%s: null entry", name)
			}
			if len(one.URLs) == 0 {
				return nil, fmt.Errorf("%s %s: no url", name, one.Version)
			}
			rows = append(rows, row{
				Chart: name, Version: one.Version, AppVersion: one.AppVersion, Created: stamp(one.Created),
				Digest: one.Digest, URL: one.URLs[0], Deprecated: one.Deprecated,
			})
		}
	}
	return rows, nil
}

func sortedKeys[V any](entries map[string]V) []string {
	names := make([]string, 0, len(entries))
	for name := range entries {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func stamp(when time.Time) string {
	return when.UTC().Format(time.RFC3339Nano)
}
