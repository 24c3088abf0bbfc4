/* SPDX-License-Identifier: Apache-2.0 */
#include "../check.h"
#include "build_image.h"

/* write_seeds FOLDER: the built images as files, where fuzz_image starts from. */
int main(int argc, char **argv)
{
    CHECK(argc == 2);
    for (uint32_t i = 0; i < IMAGE_SPECS; i++) {
        size_t size;
        char path[512];
        struct snn_image *image = image_build(&image_specs[i], &size);
        snprintf(path, sizeof path, "%s/%s.snnimg", argv[1], image_specs[i].name);
        FILE *file = fopen(path, "wb");
        CHECK(file != NULL && fwrite(image, 1, size, file) == size && fclose(file) == 0);
        free(image);
    }
    return 0;
}
