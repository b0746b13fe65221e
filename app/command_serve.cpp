// `nora serve`: scans a folder, serves the page and the pictures.
#include "app/api/account_routes.hpp"
#include "app/api/archive_routes.hpp"
#include "app/api/file_routes.hpp"
#include "app/api/oidc_routes.hpp"
#include "app/api/router.hpp"
#include "app/api/saved_routes.hpp"
#include "app/api/upload_routes.hpp"
#include "app/api/view_routes.hpp"
#include "app/archive_images.hpp"
#include "app/commands.hpp"
#include "app/http_api.hpp"
#include "app/index_news.hpp"
#include "app/news.hpp"
#include "app/open_index.hpp"
#include "app/process_metrics.hpp"
#include "app/readiness.hpp"
#include "app/served_projects.hpp"
#include "base/config.hpp"
#include "base/log.hpp"
#include "streaming/socket/server.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include <pthread.h>
#include <sys/resource.h>
#include <CLI/CLI.hpp>

namespace nora {
namespace {

constexpr double messageBurst = 1000.0 / 300;             // of messages_per_second
constexpr double byteBurst = 4;                           // of message_kib_per_second
constexpr std::size_t otherFiles = 512;                   // open files that are no connections
constexpr std::chrono::milliseconds indexLookEvery{500};  // for what other programs change
constexpr std::chrono::milliseconds rightsLookEvery{1000};
constexpr std::chrono::milliseconds farewell{2000};  // for clients to hear that the server ends

struct ServeOptions {
  std::string folder;
  std::string configFile;
  std::map<std::string, std::string> flags;  // setting -> text
  bool printConfig = false;
  bool printRoutes = false;
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

/// Whose streams are counted together: guests have their address alone, and a link is for many.
std::string nameOfUser(const Caller& caller) {
  const bool isKnown = caller.entrance == Entrance::session || caller.entrance == Entrance::token;
  return isKnown && caller.userId != 0 ? std::to_string(caller.userId) : "";
}

StreamEngine::Options engineOptions(const Config& config) {
  StreamEngine::Options options;
  options.sessions = static_cast<std::size_t>(config.sessions);
  options.sessionsPerUser = static_cast<std::size_t>(config.sessionsPerUser);
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

std::string addressOf(const Config& config, int port) {
  const bool isIpv6 = config.bind.find(':') != std::string::npos;
  const bool everyAddress = config.bind == "0.0.0.0" || config.bind == "::";
  return std::string(config.tlsCertificate.empty() ? "http" : "https") + "://" +
         (everyAddress ? "localhost" : (isIpv6 ? "[" + config.bind + "]" : config.bind)) + ":" + std::to_string(port);
}

void sayWhere(const Config& config, const std::string& what, int port) {
  std::printf("nora serves %s at %s\n", printable(what).c_str(), addressOf(config, port).c_str());
  std::fflush(stdout);
}

Result<LogInWays> logInWays(const Config& config) {
  const Environment environment = [](const std::string& name) -> const char* { return std::getenv(name.c_str()); };
  auto directories = LoginDirectories::make(config.ldap, environment);
  if (!directories) return tl::make_unexpected(directories.error());
  auto providers = LoginProviders::make(config.oidc, config.publicUrl, environment);
  if (!providers) return tl::make_unexpected(providers.error());
  return LogInWays{*std::move(directories), *std::move(providers)};
}

/// Who sits at this machine needs no log-in, unless there is another way than accounts to have one.
bool isForOneAlone(const Config& config, const LogInWays& ways) {
  return isLocal(config.bind) && config.login == "auto" && ways.empty();
}

Gate::Options gateOptions(const Config& config, const LogInWays& ways) {
  return {isForOneAlone(config, ways), std::chrono::hours(config.sessionHours), std::chrono::hours(config.confirmHours),
          std::chrono::days(config.confirmDays)};
}

/// Without accounts: no log-in on this machine alone, else a link by which the first administrator is made.
Result<void> sayWhoMayEnter(const Config& config, const LogInPlaces& logIns, int port) {
  Gate& gate = logIns.gate;
  const auto has = gate.hasAccounts();
  if (!has) return tl::make_unexpected(has.error());
  if (*has) return {};
  if (isForOneAlone(config, logIns.ways)) {
    std::printf("For you alone, without log-in: the server listens on this machine only.\n");
  } else if (logIns.ways.sayAdministrators()) {
    std::printf("There is no account yet: administrators log in by the directory or provider that says who is one.\n");
  } else {
    std::printf("There is no account yet. This link makes the administrator's; it works once:\n%s/?setup=%s\n",
                addressOf(config, port).c_str(), logIns.setup.open().c_str());
  }
  std::fflush(stdout);
  return {};
}

/// Until a signal ends the server. SIGHUP is "read the certificate again" where there is one.
void waitForEnd(const sigset_t& signals, SocketServer& server, bool hasCertificate) {
  int signal = 0;
  while (::sigwait(&signals, &signal) == 0 && signal == SIGHUP && hasCertificate) server.reloadCertificate();
}

/// Does something again and again, on a thread of its own.
std::jthread every(std::chrono::milliseconds interval, std::function<void()> work) {
  return std::jthread([interval, work = std::move(work)](const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    while (!never.wait_for(lock, stop, interval, [] { return false; }) && !stop.stop_requested()) work();
  });
}

/// For the test that holds them against docs/openapi.yaml.
Result<void> sayRoutes(const std::vector<Route>& routes) {
  for (const Route& route : routes) std::printf("%s %s\n", route.method.data(), route.pattern.data());
  return {};
}

Result<void> serve(const Config& config, const ServeOptions& options, const sigset_t& signals) {
  auto ways = logInWays(config);
  if (!ways) return tl::make_unexpected(ways.error());
  auto renderer = makeRenderer(config.backend, static_cast<std::size_t>(config.gpuMiB) << 20);
  if (!renderer) return tl::make_unexpected(renderer.error());
  if (auto drawn = drawOnce(**renderer); !drawn) return tl::make_unexpected(drawn.error());
  log::info("renderer: " + (*renderer)->name());
  Readiness readiness;
  readiness.rendererWorks();
  auto metrics = std::make_shared<Metrics>();
  addProcessMetrics(*metrics);

  const auto index = openIndex(config.index);
  if (!index) return tl::make_unexpected(index.error());
  log::info("index: " + (*index)->database->name());
  const ApiPlaces places = (*index)->places();

  ReaderPool scanPool("/proc/self/exe", readerLimits(config));  // of its own, so that a scan never delays a reader
  ReaderPool readPool("/proc/self/exe", readerLimits(config));
  ContentCache cache(static_cast<std::size_t>(config.cacheMiB) << 20);
  ArchiveImages images(places, readPool, cache);

  IndexNews indexNews(places.archive);
  Gate gate(places, gateOptions(config, *ways));
  LoginLimiter limiter;
  Setup setup;
  if (auto made = makeGroups(places.accounts, *ways); !made) return made;
  const LogInPlaces logIns{places, gate, limiter, setup, *ways};
  auto how = engineOptions(config);
  how.metrics = metrics;
  how.greeting = [&] { return indexNews.message(); };
  StreamEngine engine(std::move(*renderer), how);
  cache.onShortage([&] { engine.releaseUnseen(); });
  News news([&] {
    indexNews.refresh();
    engine.broadcast(indexNews.message());
  });
  ScanService scans(places.archive, scanPool, [&] { news.tell(); });
  indexNews.of(scans);
  UploadStore uploads(places.archive);
  const auto allRoutes = [&] {
    auto out = archiveRoutes(places);
    for (auto more : {accountRoutes(logIns), oidcRoutes(logIns), administrationRoutes(places),
                      viewRoutes(places, images, scans, indexNews), fileRoutes(places), savedRoutes(places),
                      uploadRoutes(places, uploads, [&](std::int64_t project) { scans.request(project); })})
      std::move(more.begin(), more.end(), std::back_inserter(out));
    return out;
  };
  if (options.printRoutes) return sayRoutes(allRoutes());
  auto server =
      SocketServer::start(socketOptions(config, metrics), engine,
                          makeHttpApi({readiness, *metrics, config.metricsPublic, makeRouter(allRoutes(), gate)}),
                          [&](const HttpRequest& request, const std::stop_token&) -> Result<StreamVisitor> {
                            std::string key;
                            auto visitor = gate.streamVisitor(request, key);
                            if (!visitor) return tl::make_unexpected(visitor.error());
                            const auto now = [&gate, key] { return gate.visitorOfStream(key); };
                            const auto user = nameOfUser(visitor->caller);
                            return StreamVisitor{key, std::make_shared<VisitorImages>(images, now), user};
                          });
  if (!server) return tl::make_unexpected(server.error());

  ServedProjects projects(places.archive, scans);
  const auto what = projects.begin(options.folder);
  if (!what) return tl::make_unexpected(what.error());
  const auto looker = every(indexLookEvery, [&, last = std::int64_t{0}]() mutable {
    const auto now = indexNews.refresh();
    if (std::exchange(last, now) == now) return;
    projects.update();
    news.tell();
  });
  const auto warden =
      every(rightsLookEvery, [&] { engine.endUnless([&](const std::string& key) { return gate.mayStay(key); }); });
  const auto confirming = ways->directories.empty() ? std::jthread() : ways->directories.watch(places.accounts);
  readiness.scanHasBegun();
  sayWhere(config, *what, (*server)->port());
  if (auto said = sayWhoMayEnter(config, logIns, (*server)->port()); !said) return said;
  waitForEnd(signals, **server, !config.tlsCertificate.empty());
  log::info("ending");
  readiness.isEnding();
  (*server)->end(farewell);
  cache.onShortage({});
  return {};
}

int runServe(const ServeOptions& options) {
  const auto config = configure(options);
  if (!config) return report(config.error());
  if (options.printConfig) {
    std::printf("%s", printConfig(*config).c_str());
    return 0;
  }
  setLogLevel(config->logLevel);
  sigset_t endSignals;
  sigemptyset(&endSignals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&endSignals, signal);
  ::pthread_sigmask(SIG_BLOCK, &endSignals, nullptr);  // before any thread starts: only sigwait sees them
  std::signal(SIGPIPE, SIG_IGN);
  if (auto served = serve(*config, options, endSignals); !served) return report(served.error());
  return 0;
}

}  // namespace

void addServeCommand(CLI::App& app, int& exitStatus) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App* command = app.add_subcommand("serve", "Serves projects of images to browsers");
  command->add_option("DIR", options->folder,
                      "A folder: becomes a project, where it is none yet. Without: all projects");
  command->add_option("--config", options->configFile, "A TOML file with settings");
  command->add_flag("--print-config", options->printConfig, "Print the settings in force as TOML and end");
  command->add_flag("--print-routes", options->printRoutes, "Print the routes of the HTTP API and end")->group("");
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
