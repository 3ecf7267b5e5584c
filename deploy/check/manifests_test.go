package check

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
)

// decode reads manifests as an API server does that refuses fields it does not know.
func decode(t *testing.T, manifests string) (all []runtime.Object) {
	t.Helper()
	strict := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	docs := yaml.NewDocumentDecoder(io.NopCloser(strings.NewReader(manifests)))
	buf := make([]byte, 1<<20)
	for {
		n, err := docs.Read(buf)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(bytes.TrimSpace(buf[:n])) == 0 {
			continue
		}
		o, _, err := strict.Decode(bytes.Clone(buf[:n]), nil, nil)
		if err != nil {
			t.Fatalf("%v in\n%s", err, buf[:n])
		}
		all = append(all, o)
	}
}

// everything returns all manifests that there are, by what they are called here.
func everything(t *testing.T) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for name, with := range values {
		out, err := render(t, "shop", with)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[name] = out
	}
	files, err := filepath.Glob("../kubernetes/*.yaml")
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all[file] = string(b)
	}
	return all
}

// podSpecs returns the pods that manifests make, and what configuration maps hold.
func podSpecs(all []runtime.Object) (pods []corev1.PodTemplateSpec, files map[string]string) {
	files = make(map[string]string)
	for _, o := range all {
		switch o := o.(type) {
		case *appsv1.Deployment:
			pods = append(pods, o.Spec.Template)
		case *appsv1.StatefulSet:
			pods = append(pods, o.Spec.Template)
		case *corev1.ConfigMap:
			for name, text := range o.Data {
				files[name] = text
			}
		}
	}
	return pods, files
}

// TestServicesReachMembers looks for the two faults that no type finds: a service that
// selects no pod, and a mesh whose members are reached by TCP or by UDP alone.
func TestServicesReachMembers(t *testing.T) {
	for name, manifests := range everything(t) {
		all := decode(t, manifests)
		pods, _ := podSpecs(all)
		if len(pods) == 0 {
			t.Errorf("%s: no pod", name)
		}
		for _, o := range all {
			s, ok := o.(*corev1.Service)
			if !ok {
				continue
			}
			protocols := map[corev1.Protocol]bool{}
			for _, p := range s.Spec.Ports {
				protocols[p.Protocol] = true
				if !named(pods, p.TargetPort.StrVal) {
					t.Errorf("%s: service %s: no container has the port %q", name, s.Name, p.TargetPort.StrVal)
				}
			}
			for key, value := range s.Spec.Selector {
				if pods[0].Labels[key] != value {
					t.Errorf("%s: service %s selects %s=%s, pods have %q", name, s.Name, key, value, pods[0].Labels[key])
				}
			}
			if s.Spec.ClusterIP == corev1.ClusterIPNone && (!s.Spec.PublishNotReadyAddresses || !protocols[corev1.ProtocolTCP] || !protocols[corev1.ProtocolUDP]) {
				t.Errorf("%s: service %s: members that start find no other by it", name, s.Name)
			}
		}
	}
}

func named(pods []corev1.PodTemplateSpec, port string) bool {
	for _, c := range containers(pods) {
		for _, p := range c.Ports {
			if p.Name == port {
				return true
			}
		}
	}
	return false
}

// containers returns those that run as long as their pod.
func containers(pods []corev1.PodTemplateSpec) (all []corev1.Container) {
	for _, p := range pods {
		all = append(all, p.Spec.Containers...)
		for _, c := range p.Spec.InitContainers {
			if c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
				all = append(all, c)
			}
		}
	}
	return all
}
