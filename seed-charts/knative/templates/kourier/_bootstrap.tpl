{{/* Envoy's start: everything but the way to its controller comes from there. Statistics are served on port 9000. */}}
{{- define "knative.bootstrap" -}}
dynamic_resources:
  ads_config:
    transport_api_version: V3
    api_type: GRPC
    rate_limit_settings: {}
    grpc_services:
      - envoy_grpc: {cluster_name: xds_cluster}
  cds_config: {resource_api_version: V3, ads: {}}
  lds_config: {resource_api_version: V3, ads: {}}
node:
  cluster: kourier-knative
  id: 3scale-kourier-gateway
admin:
  access_log_path: /dev/stdout
  address: {pipe: {path: /tmp/envoy.admin}}
static_resources:
  listeners:
    - name: stats_listener
      address: {socket_address: {address: 0.0.0.0, port_value: 9000}}
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: stats_server
                http_filters: [{name: envoy.filters.http.router}]
                route_config:
                  virtual_hosts:
                    - name: admin_interface
                      domains: ["*"]
                      routes:
                        - match:
                            safe_regex: {google_re2: {}, regex: "/(certs|stats(/prometheus)?|server_info|clusters|listeners|ready)?"}
                            headers: [{name: ":method", exact_match: GET}]
                          route: {cluster: service_stats}
  clusters:
    - name: service_stats
      connect_timeout: 0.250s
      type: STATIC
      load_assignment:
        cluster_name: service_stats
        endpoints: {lb_endpoints: {endpoint: {address: {pipe: {path: /tmp/envoy.admin}}}}}
    - name: xds_cluster
      connect_timeout: 1s
      type: STRICT_DNS
      http2_protocol_options: {}
      load_assignment:
        cluster_name: xds_cluster
        endpoints: {lb_endpoints: {endpoint: {address: {socket_address: {address: net-kourier-controller.{{ .Release.Namespace }}, port_value: 18000}}}}}
{{- end -}}
