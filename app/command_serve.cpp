// `nora serve`: scans a folder, serves the page and the pictures.
#include "app/commands.hpp"
#include "app/http_api.hpp"
#include "app/news.hpp"
#include "app/process_metrics.hpp"
#include "app/readiness.hpp"
#include "app/scanner.hpp"
#include "app/served_images.hpp"
#include "base/config.hpp"
#include "base/log.hpp"
#include "streaming/socket/server.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <thread>

#include <pthread.h>
#include <sys/resource.h>
#include <CLI/CLI.hpp>

namespace nora {
namespace {

constexpr double messageBurst = 1000.0 / 300;        // of messages_per_second
constexpr double byteBurst = 4;                      // of message_kib_per_second
constexpr std::size_t otherFiles = 512;              // open files that are no connections
constexpr std::chrono::milliseconds farewell{2000};  // for clients to hear that the server ends

struct ServeOptions {
  std::string folder;
  std::string configFile;
  std::map<std::string, std::string> flags;  // setting -> text
  bool printConfig = false;
};

Result<Config> configure(const ServeOptions& options) {
  Config config;
  if (!options.configFile.empty()) {
    if (auto applied = applyToml(config, options.configFile); !applied) return tl::make_unexpected(applied.error());
  }
  const auto environment = [](const std::string& name) -> const char* { return std::getenv(name.c_str()); };
  if (auto applied = applyEnvironment(config, environment); !applied) return tl::make_unexpected(applied.error());
  for (const auto& field : configFields()) {
    const auto flag = options.flags.find(std::string(field.name));
    if (flag == options.flags.end() || flag->second.empty()) continue;
    std::string origin = "--" + std::string(field.name);
    std::replace(origin.begin(), origin.end(), '_', '-');
    if (auto set = setField(config, field, flag->second, origin); !set) return tl::make_unexpected(set.error());
  }
  return config;
}

void setLogLevel(const std::string& name) {
  static const std::map<std::string, log::Level> levels{{"debug", log::Level::debug},
                                                        {"info", log::Level::info},
                                                        {"warning", log::Level::warning},
                                                        {"error", log::Level::error}};
  log::setLevel(levels.at(name));
}

ReaderPool::Limits readerLimits(const Config& config) {
  ReaderPool::Limits limits;
  limits.processes = static_cast<std::size_t>(config.readers);
  limits.volumeBytes = static_cast<std::size_t>(config.volumeMiB) << 20;
  limits.processBytes = limits.volumeBytes + (std::size_t{4} << 30);  // the file mapped beside its voxels
  limits.readTime = std::chrono::seconds(config.readSeconds);
  limits.preferQform = config.preferQform;
  return limits;
}

StreamEngine::Options engineOptions(const Config& config) {
  StreamEngine::Options options;
  options.sessions = static_cast<std::size_t>(config.sessions);
  options.movingJpegQuality = static_cast<int>(config.jpegQuality);
  options.frameBudget = std::chrono::milliseconds(config.frameBudgetMs);
  options.smallestScale = static_cast<double>(config.smallestPercent) / 100;
  options.loaderThreads = static_cast<std::size_t>(config.readers);
  return options;
}

bool isLocal(const std::string& bind) {
  return bind.starts_with("127.") || bind == "::1" || bind == "localhost";
}

/// As many connections as the open files allow that are left beside those of images.
std::size_t connectionsWithin(std::size_t wanted) {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY) return wanted;
  const std::size_t left = files.rlim_cur > 2 * otherFiles ? files.rlim_cur - otherFiles : files.rlim_cur / 2;
  if (wanted <= left) return wanted;
  log::warning("connections: only " + std::to_string(left) + ", because no more than " +
               std::to_string(files.rlim_cur) + " files may be open (ulimit -n)");
  return left;
}

SocketServer::Options socketOptions(const Config& config, std::shared_ptr<Metrics> metrics) {
  SocketServer::Options options;
  options.bind = config.bind;
  options.port = static_cast<int>(config.port);
  options.localNamesOnly = isLocal(config.bind);
  options.connections = connectionsWithin(static_cast<std::size_t>(config.connections));
  options.connectionsPerAddress = static_cast<std::size_t>(config.connectionsPerAddress);
  options.sessionsPerAddress = static_cast<std::size_t>(config.sessionsPerAddress);
  options.messagesPerSecond = static_cast<double>(config.messagesPerSecond);
  options.messageBurst = messageBurst * options.messagesPerSecond;
  options.bytesPerSecond = static_cast<double>(config.messageKibPerSecond) * 1024;
  options.byteBurst = byteBurst * options.bytesPerSecond;
  options.certificateFile = config.tlsCertificate;
  options.keyFile = config.tlsKey;
  options.trustedProxies = listOf(config.trustedProxies);
  options.allowedOrigins = listOf(config.allowedOrigins);
  options.metrics = std::move(metrics);
  return options;
}

/// A small picture of nothing: a renderer that cannot even draw that is of no use.
Result<void> drawOnce(Renderer& renderer) {
  Scene scene;
  scene.views.emplace_back().name = "first";
  const LayerVolumes none;
  Frame frame;
  const auto drawn =
      renderer.render({.scene = &scene, .view = "first", .width = 16, .height = 16, .volumes = &none}, frame);
  if (!drawn) return tl::make_unexpected(drawn.error());
  return {};
}

void sayWhere(const Config& config, const std::string& folder, int port) {
  const bool isIpv6 = config.bind.find(':') != std::string::npos;
  const bool everyAddress = config.bind == "0.0.0.0" || config.bind == "::";
  std::printf("nora serves %s at %s://%s:%d\n", printable(folder).c_str(),
              config.tlsCertificate.empty() ? "http" : "https",
              everyAddress ? "localhost" : (isIpv6 ? "[" + config.bind + "]" : config.bind).c_str(), port);
  std::fflush(stdout);
}

/// Until a signal ends the server. SIGHUP is "read the certificate again" where there is one.
void waitForEnd(const sigset_t& signals, SocketServer& server, bool hasCertificate) {
  int signal = 0;
  while (::sigwait(&signals, &signal) == 0 && signal == SIGHUP && hasCertificate) server.reloadCertificate();
}

Result<void> serve(const Config& config, const std::string& folder, const sigset_t& signals) {
  auto root = ServedRoot::open(folder);
  if (!root) return tl::make_unexpected(root.error());
  auto renderer = makeRenderer(config.backend, static_cast<std::size_t>(config.gpuMiB) << 20);
  if (!renderer) return tl::make_unexpected(renderer.error());
  if (auto drawn = drawOnce(**renderer); !drawn) return tl::make_unexpected(drawn.error());
  log::info("renderer: " + (*renderer)->name());
  Readiness readiness;
  readiness.rendererWorks();
  auto metrics = std::make_shared<Metrics>();
  addProcessMetrics(*metrics);

  ReaderPool scanPool("/proc/self/exe", readerLimits(config));  // of its own, so that a scan never delays a reader
  ReaderPool readPool("/proc/self/exe", readerLimits(config));
  ContentCache cache(static_cast<std::size_t>(config.cacheMiB) << 20);
  Catalogue catalogue;
  catalogue.setProgress(0, true);  // before anybody can ask: an empty list is not a finished scan
  ServedImages images(*root, readPool, catalogue, cache);
  const EntryContent content(images, readPool, catalogue);
  auto how = engineOptions(config);
  how.metrics = metrics;
  StreamEngine engine(std::move(*renderer), images, how);

  const std::string rootName = std::filesystem::path(root->path()).filename().string();
  auto server =
      SocketServer::start(socketOptions(config, metrics), engine,
                          makeHttpApi({catalogue, content, readiness, *metrics, rootName, config.metricsPublic}));
  if (!server) return tl::make_unexpected(server.error());

  News news([&] { engine.broadcast(catalogueMessage(catalogue)); });
  std::jthread scanThread([&](std::stop_token stop) {
    readiness.scanHasBegun();
    Scanner(*root, scanPool, catalogue, [&] { news.tell(); }).scan(stop);
    const auto counts = catalogue.counts();
    log::info("scan: " + std::to_string(counts.files) + " files, " + std::to_string(counts.entries) + " entries, " +
              std::to_string(counts.problems) + " problems");
  });

  sayWhere(config, root->path(), (*server)->port());
  waitForEnd(signals, **server, !config.tlsCertificate.empty());
  log::info("ending");
  readiness.isEnding();
  scanThread.request_stop();
  (*server)->end(farewell);
  return {};
}

int runServe(const ServeOptions& options) {
  const auto config = configure(options);
  if (!config) return report(config.error());
  if (options.printConfig) {
    std::printf("%s", printConfig(*config).c_str());
    return 0;
  }
  if (options.folder.empty()) return report(Error{ErrorCode::invalidInput, "say which folder to serve", "DIR"});
  setLogLevel(config->logLevel);
  sigset_t endSignals;
  sigemptyset(&endSignals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&endSignals, signal);
  ::pthread_sigmask(SIG_BLOCK, &endSignals, nullptr);  // before any thread starts: only sigwait sees them
  std::signal(SIGPIPE, SIG_IGN);
  if (auto served = serve(*config, options.folder, endSignals); !served) return report(served.error());
  return 0;
}

}  // namespace

void addServeCommand(CLI::App& app, int& exitStatus) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App* command = app.add_subcommand("serve", "Serves a folder of images to browsers");
  command->add_option("DIR", options->folder, "The folder");
  command->add_option("--config", options->configFile, "A TOML file with settings");
  command->add_flag("--print-config", options->printConfig, "Print the settings in force as TOML and end");
  for (const auto& field : configFields()) {
    std::string flag = "--" + std::string(field.name);
    std::replace(flag.begin(), flag.end(), '_', '-');
    command->add_option(flag, options->flags[std::string(field.name)], std::string(field.comment));
  }
  command->callback([options, &exitStatus] { exitStatus = runServe(*options); });
}

void addReaderCommand(CLI::App& app, int& exitStatus) {
  CLI::App* command = app.add_subcommand("reader", "Reads files for a server; started by nora itself");
  command->group("");  // not shown in --help
  command->callback([&exitStatus] { exitStatus = readerMain(); });
}

}  // namespace nora
