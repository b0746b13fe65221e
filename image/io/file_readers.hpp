// What readers need before the sandbox closes the file system.
#pragma once

namespace nora {

/// Loads what the libraries behind the readers load from files: dictionaries, character sets. Called once, early, in a
/// reader process.
void prepareReaders();

}  // namespace nora
