# protobuf-c::protobuf-c, the run-time library of protobuf-c, where it has no package of its own for CMake.
find_path(PROTOBUF_C_INCLUDE_DIR protobuf-c/protobuf-c.h)
find_library(PROTOBUF_C_LIBRARY protobuf-c)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(protobuf-c DEFAULT_MSG PROTOBUF_C_LIBRARY PROTOBUF_C_INCLUDE_DIR)
mark_as_advanced(PROTOBUF_C_LIBRARY PROTOBUF_C_INCLUDE_DIR)
if(protobuf-c_FOUND AND NOT TARGET protobuf-c::protobuf-c)
    add_library(protobuf-c::protobuf-c UNKNOWN IMPORTED)
    set_target_properties(protobuf-c::protobuf-c PROPERTIES
        IMPORTED_LOCATION ${PROTOBUF_C_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${PROTOBUF_C_INCLUDE_DIR})
endif()
