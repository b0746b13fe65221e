// `nora serve`: scans a folder, serves the page and the pictures.
#include "app/commands.hpp"
#include "app/http_api.hpp"
#include "app/news.hpp"
#include "app/scanner.hpp"
#include "app/served_images.hpp"
#include "base/config.hpp"
#include "base/log.hpp"
#include "streaming/socket/server.hpp"

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <thread>

#include <pthread.h>
#include <CLI/CLI.hpp>

namespace nora {
namespace {

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

Result<void> serve(const Config& config, const std::string& folder, const sigset_t& endSignals) {
  auto root = ServedRoot::open(folder);
  if (!root) return tl::make_unexpected(root.error());
  auto renderer = makeRenderer(config.backend, static_cast<std::size_t>(config.gpuMiB) << 20);
  if (!renderer) return tl::make_unexpected(renderer.error());
  log::info("renderer: " + (*renderer)->name());

  ReaderPool scanPool("/proc/self/exe", readerLimits(config));  // of its own, so that a scan never delays a reader
  ReaderPool readPool("/proc/self/exe", readerLimits(config));
  ContentCache cache(static_cast<std::size_t>(config.cacheMiB) << 20);
  Catalogue catalogue;
  catalogue.setProgress(0, true);  // before anybody can ask: an empty list is not a finished scan
  ServedImages images(*root, readPool, catalogue, cache);
  const EntryContent content(images, readPool, catalogue);
  StreamEngine engine(std::move(*renderer), images, engineOptions(config));

  SocketServer::Options socket;
  socket.bind = config.bind;
  socket.port = static_cast<int>(config.port);
  socket.localNamesOnly = config.bind.starts_with("127.") || config.bind == "::1";
  const std::string rootName = std::filesystem::path(root->path()).filename().string();
  auto server = SocketServer::start(socket, engine, makeHttpApi(catalogue, content, rootName));
  if (!server) return tl::make_unexpected(server.error());

  News news([&] { engine.broadcast(catalogueMessage(catalogue)); });
  std::jthread scanThread([&](std::stop_token stop) {
    Scanner(*root, scanPool, catalogue, [&] { news.tell(); }).scan(stop);
    const auto counts = catalogue.counts();
    log::info("scan: " + std::to_string(counts.files) + " files, " + std::to_string(counts.entries) + " entries, " +
              std::to_string(counts.problems) + " problems");
  });

  const bool isIpv6 = config.bind.find(':') != std::string::npos;
  const bool everyAddress = config.bind == "0.0.0.0" || config.bind == "::";
  std::printf("nora serves %s at http://%s:%d\n", printable(root->path()).c_str(),
              everyAddress ? "localhost" : (isIpv6 ? "[" + config.bind + "]" : config.bind).c_str(), (*server)->port());
  std::fflush(stdout);
  int signal = 0;
  ::sigwait(&endSignals, &signal);
  log::info("ending");
  scanThread.request_stop();
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
