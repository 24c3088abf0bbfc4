# Stands in for the script in which ESP-IDF first reads a component, to learn what it requires; what comes after the
# registration would fail here, as a script has no targets.
macro(idf_component_register)
    set(registered 1)
    return()
endmacro()
set(ESP_PLATFORM 1)
set(CMAKE_BUILD_EARLY_EXPANSION 1)
include(${COMPONENT}/CMakeLists.txt)
message(STATUS "registered ${registered}")
